/**
 * The configuration as it is in force, line by line, beside the description that the schema gives. Only what the schema
 * names is looked for, and what is a secret, or was a file, is not shown: of a certificate and a key there are better
 * places to read (pages/keys.ts).
 */
import { type TenantConfig, tenantSchema } from '../config.ts'

export type Setting = {
  /** As in the file: `lfi.timeoutMs`. */
  readonly key: string
  /** null: not shown. '': not there, and has no default. */
  readonly value: string | null
  readonly description: string
  /** Switches something: one of a few values, or yes and no. */
  readonly isFlag: boolean
}

type Schema = {
  readonly $ref?: string
  readonly description?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly enum?: readonly unknown[]
  readonly type?: string
}

/** What is made of files, programs and passwords, and what says how an editor reads the file. */
const NOT_SHOWN =
  /(?:File|Files|^\$schema)$|^(?:keys\.(?:signing|encryption|encryptionKey|previousEncryptionKey|audit)|database|portal\.kid)\b/
const SHORT = 400

export function settingsOf(tenant: TenantConfig): readonly Setting[] {
  const inForce = { ...tenant, keys: { ...tenant.keys, ...tenant.keys.store, source: sourceOf(tenant) } }
  return walk(tenantSchema as Schema, inForce, '')
}

const sourceOf = ({ keys }: TenantConfig): string => (keys.store === null ? 'files' : 'stored')

function walk(schema: Schema, value: unknown, prefix: string): readonly Setting[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, member]): readonly Setting[] => {
    const key = prefix === '' ? name : `${prefix}.${name}`
    const resolved = resolve(member)
    const isHidden = NOT_SHOWN.test(key)
    const held = (value as Readonly<Record<string, unknown>> | undefined)?.[name]
    if (resolved.properties !== undefined && !isHidden) return walk(resolved, held, key)
    const isFlag = resolved.enum !== undefined || resolved.type === 'boolean'
    const description = member.description ?? resolved.description ?? ''
    return [{ key, value: isHidden ? null : written(held), description, isFlag }]
  })
}

function resolve(schema: Schema): Schema {
  const name = schema.$ref?.slice('#/$defs/'.length)
  if (name === undefined) return schema
  const found = (tenantSchema.$defs as Readonly<Record<string, Schema>>)[name]
  if (found === undefined) throw new Error(`the schema has no ${name}`)
  return found
}

/** A Secret writes itself as such (src/secret.ts); a text in PEM was a file. */
function written(value: unknown): string | null {
  if (value === undefined || value === null) return ''
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  if (text.includes('[secret]') || text.includes('-----BEGIN')) return null
  return text.length > SHORT ? `${text.slice(0, SHORT)}…` : text
}
