/** A running sandbox, and the outside parties of a test around the hub of Aurora Bank. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { bankUsers } from '../../../sandbox/bank/users.ts'
import type { Manifest } from '../../../sandbox/manifest.ts'
import { type BankEnrolment, loadEnrolment } from '../../../sandbox/trust-framework/enrolment.ts'
import { startTestSandbox } from '../../support/sandbox.ts'
import { type Bank, createBank, outcomeOf } from './bank.ts'
import type { Json } from './jws.ts'
import { createTpp, type Push, type Server, send, type Tpp } from './tpp.ts'
import { type Answer, createWire, type Wire } from './wire.ts'

export type Doors = Readonly<Record<'auth' | 'as' | 'rs' | 'hh' | 'cm' | 'admin', string>>
export type Discovery = Readonly<Record<string, unknown>>
export type HubKey = Json & { readonly kid: string; readonly use: string }
export type Journey = {
  readonly push: Push
  readonly consentId: string
  readonly requestUri: string
  readonly interactionId: string
}
export type Tokens = {
  readonly journey: Journey
  readonly code: string
  readonly answer: Answer
  readonly accessToken: string
  readonly refreshToken: string
}
export type World = {
  readonly manifest: Manifest
  /** What the participants keep. */
  readonly dataDir: string
  readonly doors: Doors
  readonly discovery: Discovery
  readonly server: Server
  readonly hubKeys: readonly HubKey[]
  /** Of the published keys the one that the hub itself can decrypt with. */
  readonly encryptionKid: string
  readonly tpp: Tpp
  /** The second application: same organisation, other keys, other certificate. */
  readonly second: Tpp
  readonly bank: Bank
  /** What the bank calls the person who agrees. */
  readonly userId: string
  /** The other LFI of the sandbox, at the same hub. */
  readonly otherBank: Bank
  readonly anonymous: Wire
  readonly rogue: Wire
  /** The operator's console of this LFI. */
  readonly console: Wire
  lodge(tpp?: Tpp, change?: (push: Push) => void): Promise<{ readonly push: Push; readonly requestUri: string }>
  begin(tpp?: Tpp, change?: (push: Push) => void): Promise<Journey>
  /** The whole way to a code, approved by the user. */
  approve(
    tpp?: Tpp,
    form?: Readonly<Record<string, string>>,
  ): Promise<{ readonly journey: Journey; readonly code: string }>
  tokens(tpp?: Tpp, form?: Readonly<Record<string, string>>): Promise<Tokens>
  /** No consent of that id exists at the hub. */
  expectNoConsent(consentId: string): Promise<void>
  statusOf(consentId: string): Promise<unknown>
  /** All that the processes of the sandbox have logged. */
  logs(): string
  close(): Promise<void>
}

export async function startWorld(): Promise<World> {
  const sandbox = await startTestSandbox()
  try {
    const world = await enter(sandbox.manifest, sandbox.dataDir)
    return {
      ...world,
      close: async () => {
        world.closeWires()
        await sandbox.close()
      },
    }
  } catch (error) {
    await sandbox.close()
    throw error
  }
}

async function enter(manifest: Manifest, dataDir: string) {
  const { caFile } = manifest.trustFramework
  const lfi = manifest.lfis.aurora
  const doors = doorsOf(join(dataDir, 'hubs/aurora/tenants/aurora.json'))
  const anonymous = createWire(caFile, null)
  const discovery = (await anonymous.send(lfi.discovery)).json
  const server: Server = {
    issuer: String(discovery['issuer']),
    par: String(discovery['pushed_authorization_request_endpoint']),
    token: String(discovery['token_endpoint']),
    rs: lfi.rs,
    registration: String(discovery['registration_endpoint']),
  }
  const { json: jwks } = await anonymous.send(String(discovery['jwks_uri']))
  const [first, other] = manifest.tpp.clients
  if (first === undefined || other === undefined) throw new Error('the sandbox has two TPP applications')
  const tpp = createTpp(first, server, caFile)
  const second = createTpp(other, server, caFile)
  const { banks, hubs } = loadEnrolment(dataDir)
  const [user] = bankUsers('aurora')
  if (user === undefined) throw new Error('the bank has customers')
  const bankOf = (enrolled: BankEnrolment): Bank =>
    createBank(
      {
        organisation: enrolled.name,
        organisationId: enrolled.organisationId,
        client: { certificateFile: enrolled.client.certFile, keyFile: enrolled.client.keyFile },
        signing: enrolled.signing,
        user,
        audience: 'aurora',
        hh: doors.hh,
        cm: doors.cm,
      },
      caFile,
    )
  const bank = bankOf(banks.aurora)
  const otherBank = bankOf(banks.meridian)
  const rogue = createWire(caFile, manifest.rogue)
  const console = createWire(caFile, lfi.adminClient)
  for (const each of [tpp, second]) expect((await each.register()).status).toBeLessThan(300)

  const lodge: World['lodge'] = async (by = tpp, change = () => {}) => {
    const push = by.push()
    change(push)
    const answer = await send(push)
    if (answer.status !== 201) throw new Error(`/par: ${answer.status} ${answer.text}`)
    return { push, requestUri: String(answer.json['request_uri']) }
  }
  const begin: World['begin'] = async (by = tpp, change) => {
    const { push, requestUri } = await lodge(by, change)
    const interactionId = await bank.begin(by.clientId, requestUri)
    return { push, consentId: push.consentId, requestUri, interactionId }
  }
  const approve: World['approve'] = async (by = tpp, form = {}) => {
    const journey = await begin(by)
    await bank.authorize(journey.consentId)
    const outcome = outcomeOf(await bank.doConfirm(journey.interactionId, form))
    const code = outcome.query.get('code')
    if (code === null) throw new Error(`doConfirm: ${outcome.status} ${outcome.location}`)
    return { journey, code }
  }
  return {
    manifest,
    dataDir,
    doors,
    discovery,
    server,
    hubKeys: jwks['keys'] as readonly HubKey[],
    encryptionKid: hubs.aurora.encryption[0]?.kid ?? '',
    tpp,
    second,
    bank,
    userId: user.userId,
    otherBank,
    anonymous,
    rogue,
    console,
    lodge,
    begin,
    approve,
    tokens: async (by = tpp, form = {}): Promise<Tokens> => {
      const { journey, code } = await approve(by, form)
      const answer = await send(by.exchange(code, journey.push.verifier))
      if (answer.status !== 200) throw new Error(`/token: ${answer.status} ${answer.text}`)
      const { access_token: accessToken, refresh_token: refreshToken } = answer.json
      return { journey, code, answer, accessToken: String(accessToken), refreshToken: String(refreshToken) }
    },
    expectNoConsent: async (consentId: string) => {
      const answer = await bank.consent(consentId)
      expect([answer.status, answer.json['errorCode']]).toEqual([400, 'Consent.Invalid'])
    },
    statusOf: async (consentId: string) => {
      const answer = await bank.consent(consentId)
      return (answer.json['data'] as Json | undefined)?.['status']
    },
    logs: () => {
      const folder = join(dataDir, 'logs')
      return readdirSync(folder)
        .map((name) => readFileSync(join(folder, name), 'utf8'))
        .join('\n')
    },
    closeWires: () => {
      for (const wire of [anonymous, rogue, console, tpp.wire, second.wire, bank.wire, otherBank.wire]) wire.close()
    },
  }
}

/** As the operator who wrote the hub's configuration knows it. */
function doorsOf(file: string): Doors {
  const { listeners } = JSON.parse(readFileSync(file, 'utf8')) as {
    readonly listeners: Readonly<Record<keyof Doors, { readonly origin: string }>>
  }
  return Object.fromEntries(Object.entries(listeners).map(([name, { origin }]) => [name, origin])) as Doors
}
