/** Two tenants of one deployment, TPPs that both know, and a victim's consents in every state of their journey. */
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import type { Config, FixedRole } from '../../../src/config.ts'
import { startHub } from '../../../src/hub.ts'
import type { OrganisationId, TenantId } from '../../../src/ids.ts'
import { Secret } from '../../../src/secret.ts'
import type { Certificate } from '../../gateway/support/pki.ts'
import { type Answer, type Call, send } from '../../gateway/support/tpp.ts'
import { type Flow, flowOf } from '../../profiles/support/flow.ts'
import { createProfileWorld, type Party, type ProfileWorld, REDIRECT_URI } from '../../profiles/support/world.ts'
import { freePort } from '../../support/free-port.ts'
import { createTestDatabase } from '../../support/postgres.ts'

const DOORS: readonly FixedRole[] = ['auth', 'as', 'rs', 'hh', 'cm']
const ROLES: readonly FixedRole[] = [...DOORS, 'admin']
export type Origins = Readonly<Record<FixedRole, { readonly origin: string; readonly ca: string }>>
export type TwoBanks = Awaited<ReturnType<typeof createTwoBanks>>

export async function createTwoBanks() {
  // Without a worker: what it looks for by the clock would be among the statements that are counted.
  const world = await createProfileWorld(['uae'], { roles: DOORS })
  const [aurora] = world.config.tenants
  if (aurora === undefined) throw new Error('no tenant')
  // The world gives its operator's door a port and nobody there; it may be taken by now.
  const adminPort = await freePort()
  const admin = { ...aurora.listeners.admin, port: adminPort, origin: `https://localhost:${adminPort}` }
  const operated = { ...aurora, listeners: { ...aurora.listeners, admin } }
  const operations = await startHub({
    config: { ...world.config, roles: ['admin'], tenants: [operated] },
    log: world.log,
  })
  const atAurora = (role: FixedRole, asked: Call): Promise<Answer> =>
    role === 'admin' ? send({ origin: admin.origin, ca: world.ca }, asked) : world.call(role, asked)

  const organisationId = randomUUID() as OrganisationId
  const database = await createTestDatabase()
  const ports = await Promise.all(ROLES.map(() => freePort()))
  const listeners = Object.fromEntries(
    ROLES.map((role, at) => [
      role,
      { ...aurora.listeners[role], port: ports[at] ?? 0, origin: `https://localhost:${ports[at]}` },
    ]),
  ) as Config['tenants'][number]['listeners']
  const secret = (key: ReturnType<typeof generateKeyPairSync>['privateKey'] | object) =>
    new Secret((key as { export(as: object): string }).export({ type: 'pkcs8', format: 'pem' }))
  const meridian: Config['tenants'][number] = {
    ...aurora,
    id: 'meridian' as TenantId,
    name: 'Meridian Bank PJSC',
    organisationId,
    databaseUrl: database.url,
    listeners,
    jwksUrl: `${listeners.auth.origin}/jwks`,
    keys: {
      ...aurora.keys,
      signing: [{ kid: 'other-hub-sig', key: secret(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey) }],
      audit: secret(generateKeyPairSync('ed25519').privateKey),
    },
  }
  const second = await startHub({ config: { ...world.config, roles: ROLES, tenants: [meridian] }, log: world.log })
  const origins = Object.fromEntries(
    ROLES.map((role) => [role, { origin: listeners[role].origin, ca: world.ca }]),
  ) as Origins
  const otherBank = await world.framework.issue({ O: 'Meridian Bank PJSC', OU: organisationId, CN: randomUUID() })
  const atMeridian = (role: FixedRole, asked: Call): Promise<Answer> => send(origins[role], asked)
  for (const { certificate } of [world.parties.uae, world.parties.otherUae]) {
    const answer = await atMeridian('rs', { method: 'POST', path: '/tpp-registration', certificate })
    if (answer.status !== 204) throw new Error(`registration: ${answer.status}`)
  }
  return {
    world,
    flow: flowOf(world),
    /** The same hands, at the other bank's doors. */
    meridianFlow: flowOf({ ...world, issuer: origins.auth.origin, doors: origins, call: atMeridian, bank: otherBank }),
    otherBank,
    call: { aurora: atAurora, meridian: atMeridian },
    close: async () => {
      await second.close()
      await operations.close()
      await world.close()
      await database.close()
    },
  }
}

export type Victim = Awaited<ReturnType<typeof createVictim>>

/** Consents of one TPP: pushed alone, begun at the bank, agreed with the code still to redeem, and in use. */
export async function createVictim(world: ProfileWorld, flow: Flow) {
  const owner: Party = world.parties.uae
  const how = { certificate: owner.certificate }
  const pushed = async () => {
    const { params, verifier, consentId } = flow.request()
    const { answer } = await flow.push(owner, params, how)
    if (answer.status !== 201) throw new Error(`push: ${answer.status} ${answer.text}`)
    return { consentId, verifier, requestUri: (answer.json() as { request_uri: string }).request_uri }
  }
  const redeem = (code: string, verifier: string) =>
    flow.token(
      owner,
      { grant_type: 'authorization_code', code, redirect_uri: REDIRECT_URI, code_verifier: verifier },
      how,
    )
  const agreed = async () => {
    const { consentId, verifier, requestUri } = await pushed()
    const code = (await flow.agree(owner, requestUri, consentId)).searchParams.get('code') ?? ''
    return { consentId, verifier, code }
  }
  const waiting = await pushed()
  const begun = await pushed()
  const { client_id, request_uri } = { client_id: owner.clientId, request_uri: begun.requestUri }
  const auth = await flow.hh('GET', `/auth?${new URLSearchParams({ client_id, request_uri })}`)
  const { interactionId } = (auth.json() as { interaction: { interactionId: string } }).interaction
  const coded = await agreed()
  const used = await agreed()
  const { answer } = await redeem(used.code, used.verifier)
  const tokens = answer.json() as { readonly access_token: string; readonly refresh_token: string }
  return {
    owner,
    waiting,
    begun: { ...begun, interactionId },
    coded,
    used: { ...used, accessToken: tokens.access_token, refreshToken: tokens.refresh_token },
    ids: [waiting, begun, coded, used].map(({ consentId }) => consentId),
    redeemCode: () => redeem(coded.code, coded.verifier),
  }
}

export const bankCertificate = (world: ProfileWorld): Certificate => world.bank
