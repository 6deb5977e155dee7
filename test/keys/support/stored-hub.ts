/**
 * A hub of its own beside the sandbox's: keys in the database, two processes behind the same origins as a load balancer
 * would have them, and the parties around it. The trust framework, the bank and the TPPs are the sandbox's.
 */
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { bankUsers } from '../../../sandbox/bank/users.ts'
import { type Child, startChild } from '../../../sandbox/children.ts'
import { loadEnrolment } from '../../../sandbox/trust-framework/enrolment.ts'
import type { Db } from '../../../src/db.ts'
import { type Bank, createBank, outcomeOf } from '../../auth-server/support/bank.ts'
import { createTpp, type Server, send, type Tpp } from '../../auth-server/support/tpp.ts'
import { type Answer, createWire, type Wire } from '../../auth-server/support/wire.ts'
import { falaj, type Ran } from '../../support/cli.ts'
import { createTestDatabase } from '../../support/postgres.ts'
import { startTestSandbox } from '../../support/sandbox.ts'

const DOORS = ['auth', 'as', 'rs', 'hh', 'cm', 'admin'] as const
type DoorName = (typeof DOORS)[number]
/** Not among the offsets that a sandbox uses. */
const FIRST_OFFSET = 71
const SECOND_OFFSET = 81
const EDGE_OFFSET = 3

export type Published = { readonly kids: readonly string[]; readonly answer: Answer }
export type StoredHub = {
  readonly db: Db
  readonly tpp: Tpp
  readonly bank: Bank
  readonly anonymous: Wire
  readonly server: Server
  readonly caFile: string
  readonly encryptionKeyFile: string
  readonly logFiles: readonly string[]
  readonly trustFrameworkUrl: string
  /** The command line about this hub. */
  keys(name: string, ...args: readonly string[]): Promise<Ran>
  /** The JWKS as each of the two processes publishes it. */
  published(): Promise<readonly [Published, Published]>
  /** The same request to the second process, under the name of the first. */
  atSecond(url: string): { readonly url: string; readonly headers: { readonly host: string } }
  /** A whole journey to a refresh token. */
  refreshToken(): Promise<{ readonly refreshToken: string; readonly idToken: string }>
  close(): Promise<void>
}

type Json = Record<string, unknown>
const read = (file: string): Json => JSON.parse(readFileSync(file, 'utf8')) as Json
const write = (file: string, content: unknown): void => writeFileSync(file, JSON.stringify(content))

export async function startStoredHub(keys: { readonly publishAheadSeconds: number }): Promise<StoredHub> {
  const sandbox = await startTestSandbox()
  const closing: (() => Promise<unknown> | unknown)[] = [() => sandbox.close()]
  const close = async (): Promise<void> => {
    for (const each of closing.reverse()) await each()
  }
  try {
    return { ...(await furnish(sandbox, keys, closing)), close }
  } catch (error) {
    await close()
    throw error
  }
}

async function furnish(
  { manifest, dataDir }: Awaited<ReturnType<typeof startTestSandbox>>,
  keys: { readonly publishAheadSeconds: number },
  closing: (() => Promise<unknown> | unknown)[],
): Promise<Omit<StoredHub, 'close'>> {
  const lfi = manifest.lfis.aurora
  const folder = dirname(lfi.hubConfigFile)
  const base = Number(new URL(manifest.edge).port) - EDGE_OFFSET
  const portOf = (door: DoorName, offset: number) => base + offset + DOORS.indexOf(door)
  const originOf = (door: DoorName) => `https://localhost:${portOf(door, FIRST_OFFSET)}`

  const database = await createTestDatabase()
  closing.push(() => database.close())
  const encryptionKeyFile = join(folder, 'key-encryption.key')
  writeFileSync(encryptionKeyFile, randomBytes(32).toString('base64'), { mode: 0o600 })
  writeFileSync(join(folder, 'stored.url'), database.url.reveal(), { mode: 0o600 })
  const deployment = read(lfi.hubConfigFile)
  const tenant = read(join(folder, 'tenants/aurora.json'))
  const own = tenant['listeners'] as Record<DoorName, Json>
  /** The same origins; the second process listens elsewhere. */
  const files = [FIRST_OFFSET, SECOND_OFFSET].map((offset) => {
    const listeners = DOORS.map((door) => [door, { ...own[door], origin: originOf(door), port: portOf(door, offset) }])
    const tenantFile = `tenants/stored-${offset}.json`
    // Nobody logs in at either.
    const { portal: _, ...others } = tenant
    write(join(folder, tenantFile), {
      ...others,
      database: { url: { file: join(folder, 'stored.url') } },
      listeners: Object.fromEntries(listeners),
      jwksUrl: `${originOf('auth')}/jwks`,
      keys: {
        ...(tenant['keys'] as Json),
        source: 'stored',
        encryptionKey: { file: encryptionKeyFile },
        publishAheadSeconds: keys.publishAheadSeconds,
      },
    })
    const file = join(folder, `stored-${offset}.json`)
    write(file, { ...deployment, tenants: [tenantFile] })
    return file
  })
  const [first = ''] = files
  const about = ['--config', first, '--tenant', 'aurora']
  for (const args of [
    ['migrate', '--config', first],
    ['keys', 'import', '--use', 'sig', ...about],
    ['keys', 'import', '--use', 'enc', ...about],
  ]) {
    const ran = await falaj(args)
    if (ran.status !== 0) throw new Error(`falaj ${args.join(' ')}: ${ran.err}`)
  }
  const program = join(import.meta.dirname, '../../../src/main.ts')
  const logFiles = files.map((_, index) => join(folder, `stored-${index}.log`))
  for (const [index, file] of files.entries()) {
    const child: Child = startChild(`stored-hub-${index}`, [program, 'hub', '--config', file], logFiles[index] ?? '')
    closing.push(() => child.stop())
    await child.ready
  }
  const { caFile } = manifest.trustFramework
  const server: Server = {
    issuer: originOf('auth'),
    par: `${originOf('as')}/par`,
    token: `${originOf('as')}/token`,
    rs: originOf('rs'),
    registration: `${originOf('rs')}/tpp-registration`,
  }
  const [client] = manifest.tpp.clients
  const [user] = bankUsers('aurora')
  if (client === undefined || user === undefined) throw new Error('the sandbox has a TPP and a customer')
  const tpp = createTpp(client, server, caFile)
  const enrolled = loadEnrolment(dataDir).banks.aurora
  const bank = createBank(
    {
      organisation: enrolled.name,
      organisationId: enrolled.organisationId,
      client: { certificateFile: enrolled.client.certFile, keyFile: enrolled.client.keyFile },
      signing: enrolled.signing,
      user,
      audience: 'aurora',
      hh: originOf('hh'),
      cm: originOf('cm'),
    },
    caFile,
  )
  const anonymous = createWire(caFile, null)
  for (const wire of [tpp.wire, bank.wire, anonymous]) closing.push(() => wire.close())
  if ((await tpp.register()).status >= 300) throw new Error('the TPP could not register')

  const atSecond: StoredHub['atSecond'] = (url) => {
    const to = new URL(url)
    const { host } = to
    to.port = String(Number(to.port) + SECOND_OFFSET - FIRST_OFFSET)
    return { url: to.href, headers: { host } }
  }
  const publishedAt = async (url: string, headers = {}): Promise<Published> => {
    const answer = await anonymous.send(url, { headers })
    const all = (answer.json['keys'] ?? []) as readonly { readonly kid: string; readonly use: string }[]
    return { answer, kids: all.filter(({ use }) => use === 'sig').map(({ kid }) => kid) }
  }
  return {
    db: database.db,
    tpp,
    bank,
    anonymous,
    server,
    caFile,
    encryptionKeyFile,
    logFiles,
    trustFrameworkUrl: manifest.trustFramework.url,
    keys: (name, ...args) => falaj(['keys', name, ...about, ...args]),
    published: async () => {
      const second = atSecond(`${server.issuer}/jwks`)
      return [await publishedAt(`${server.issuer}/jwks`), await publishedAt(second.url, second.headers)]
    },
    atSecond,
    refreshToken: async () => {
      const push = tpp.push()
      const pushed = await send(push)
      if (pushed.status !== 201) throw new Error(`/par: ${pushed.status} ${pushed.text}`)
      const interactionId = await bank.begin(tpp.clientId, String(pushed.json['request_uri']))
      await bank.authorize(push.consentId)
      const code = outcomeOf(await bank.doConfirm(interactionId)).query.get('code') ?? ''
      const { status, json, text } = await send(tpp.exchange(code, push.verifier))
      if (status !== 200) throw new Error(`/token: ${status} ${text}`)
      return { refreshToken: String(json['refresh_token']), idToken: String(json['id_token']) }
    },
  }
}
