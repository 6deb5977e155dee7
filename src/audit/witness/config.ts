/** The configuration of a witness: one JSON file, small enough to be checked by hand. Unknown keys are refused. */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { OperatorError } from '../../errors.ts'
import { parseVerifierKey, type SignerKey, signerFromPem, type VerifierKey } from '../note/key.ts'

export type WitnessConfig = {
  readonly address: string
  readonly port: number
  /** null: plain HTTP, for behind a proxy that ends TLS. */
  readonly tls: { readonly certificate: string; readonly key: string } | null
  readonly signer: SignerKey
  readonly stateFile: string
  readonly logs: readonly VerifierKey[]
}

/** What each key is for; the example in docs/audit/format.md has them all. */
const KEYS = ['name', 'keyFile', 'stateFile', 'logs', 'address', 'port', 'certificateFile', 'tlsKeyFile'] as const
type Raw = Partial<Readonly<Record<(typeof KEYS)[number], unknown>>>

export function loadWitnessConfig(file: string): WitnessConfig {
  const raw = readJson(file)
  const unknown = Object.keys(raw).filter((key) => !(KEYS as readonly string[]).includes(key))
  if (unknown.length > 0) refuse(file, `unknown key ${unknown.join(', ')}`)
  const text = (key: keyof Raw): string => {
    const value = raw[key]
    return typeof value === 'string' && value !== '' ? value : refuse(file, `${key} must be a text`)
  }
  const path = (key: keyof Raw): string => resolve(dirname(file), text(key))
  const pem = (key: keyof Raw): string => readText(file, path(key))
  const { logs, port } = raw
  if (!Array.isArray(logs) || logs.length === 0) return refuse(file, 'logs must list the verifier keys of logs')
  if (!Number.isInteger(port) || (port as number) < 0 || (port as number) > 65_535) {
    return refuse(file, 'port must be a port number')
  }
  return {
    address: raw.address === undefined ? '127.0.0.1' : text('address'),
    port: port as number,
    tls: raw.certificateFile === undefined ? null : { certificate: pem('certificateFile'), key: pem('tlsKeyFile') },
    signer: signerOf(file, text('name'), pem('keyFile')),
    stateFile: path('stateFile'),
    logs: logs.map((each) => logKey(each) ?? refuse(file, 'logs holds what is no verifier key of a log')),
  }
}

function signerOf(file: string, name: string, pem: string): SignerKey {
  if (/[\s+]/.test(name)) refuse(file, 'name must hold neither spaces nor a plus')
  try {
    return signerFromPem(name, 'cosignature', pem)
  } catch {
    return refuse(file, 'keyFile holds no Ed25519 private key')
  }
}

function logKey(raw: unknown): VerifierKey | null {
  const key = typeof raw === 'string' ? parseVerifierKey(raw) : null
  return key?.type === 'log' ? key : null
}

function readJson(file: string): Raw {
  const text = readText(file, file)
  try {
    const raw: unknown = JSON.parse(text)
    if (typeof raw === 'object' && raw !== null && !Array.isArray(raw)) return raw
  } catch {}
  return refuse(file, 'not a JSON object')
}

function readText(file: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return refuse(file, `${path} cannot be read`)
  }
}

function refuse(file: string, what: string): never {
  throw new OperatorError(`${file}: ${what}`)
}
