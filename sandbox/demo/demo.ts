/** The whole journey without a browser, against a running sandbox, told step by step. Knows the manifest, nothing else. */
import { readFileSync } from 'node:fs'
import type { Manifest, ManifestClient, ManifestLfi } from '../manifest.ts'
import type { Tokens } from '../tpp/authorization.ts'
import { createTppClient, type LfiConnection, type TppClient } from '../tpp/client.ts'
import { LfiFault } from '../tpp/errors.ts'
import { PERMISSIONS, type Permission, PRESETS } from '../tpp/permissions.ts'
import type { HttpCall } from '../tpp/settings.ts'
import { auditSteps } from './audit-steps.ts'
import { approveAtBank, type Customer } from './bank-journey.ts'
import { jointSteps } from './joint-steps.ts'
import { lifecycleSteps } from './lifecycle-steps.ts'
import { paymentSteps } from './payment-steps.ts'
import { dataOf, READS, sizeOf } from './reads.ts'
import { createRecorder, DemoStopped, type Output, type Recorder, type Seen } from './recorder.ts'
import { type Payee, serviceSteps } from './service-steps.ts'
import { webhookSteps } from './webhook-steps.ts'

const LFI = 'aurora'
const CONSENT_DAYS = 30
const DAY_MS = 86_400_000
const PAGES_MAX = 50

type Demo = {
  readonly recorder: Recorder
  readonly bank: LfiConnection
  readonly lfi: ManifestLfi
  readonly ca: string
  readonly redirectUri: string
  readonly customer: Customer
}

/** 0 when everything held, 1 otherwise. */
export async function runDemo(manifest: Manifest, out: Output): Promise<number> {
  const calls: HttpCall[] = []
  const recorder = createRecorder(out, () => calls.at(-1)?.interactionId ?? null)
  const ca = readFileSync(manifest.trustFramework.caFile, 'utf8')
  const [first, second] = manifest.tpp.clients
  const lfi = manifest.lfis[LFI]
  const [customer] = lfi.users
  if (first === undefined || customer === undefined) throw new Error('the manifest names no application or no customer')
  const open = (application: ManifestClient): Promise<TppClient> =>
    createTppClient({
      trustFrameworkUrl: manifest.trustFramework.url,
      ca,
      application: applicationOf(application),
      onCall: (call) => calls.push(call),
    })
  const client = await open(first)
  const other = second === undefined ? null : await open(second)
  out(`Falaj demo: ${first.name} reads from ${lfi.name} as ${customer.username}`)
  try {
    const bank = await findBank(recorder, client, lfi)
    const demo = { recorder, bank, lfi, ca, redirectUri: applicationOf(first).redirectUri, customer }
    await enrol(demo)
    const { tokens, firstRead } = await fullConsent(demo, calls, other)
    const rootId = (await narrowConsent(demo)).consentId ?? ''
    await lifecycleSteps(recorder, {
      bank,
      ca,
      staffUrl: `${manifest.edge}banks/${LFI}/staff`,
      staff: lfi.staff,
      rootId,
      renew: () => authorize(demo, PRESETS.get('basic')?.permissions ?? [], `BaseConsentId ${rootId}`, rootId),
    })
    await endOfConsent(demo, tokens)
    const { redirectUri } = demo
    await paymentSteps(recorder, { bank, ca, redirectUri, customer })
    const [holder, second] = holdersOf(lfi)
    await jointSteps(recorder, {
      bank,
      ca,
      redirectUri,
      customer: holder,
      second,
      consentsUrl: `${manifest.edge}banks/${LFI}/consents`,
    })
    await webhookSteps(recorder, { manifest, lfi: LFI, ca, customer })
    recorder.part('Proof')
    await auditSteps(recorder, { tenant: LFI, lfi, interactionId: firstRead })
  } catch (error) {
    if (!(error instanceof DemoStopped)) throw error
    out('\nThe steps that follow need the one that failed; the demo ends here.')
  } finally {
    await client.close()
    await other?.close()
  }
  return recorder.finish() ? 0 : 1
}

/** Two users of the bank who hold an account together. */
function holdersOf({ users }: ManifestLfi): readonly [Customer, Customer] {
  for (const first of users) {
    const second = users.find(
      (other) => other !== first && other.accountIds.some((id) => first.accountIds.includes(id)),
    )
    if (second !== undefined) return [first, second]
  }
  throw new Error('nobody at this bank holds an account together with somebody else')
}

function applicationOf(client: ManifestClient) {
  const [redirectUri] = client.redirectUris
  if (redirectUri === undefined) throw new Error(`${client.name} has no redirect URI`)
  return {
    clientId: client.clientId,
    redirectUri,
    transport: { certFile: client.transport.certificateFile, keyFile: client.transport.keyFile },
    signing: { kid: client.signing.kid, keyFile: client.signing.keyFile },
  }
}

async function findBank(recorder: Recorder, client: TppClient, lfi: ManifestLfi): Promise<LfiConnection> {
  recorder.part('Getting to know each other')
  return recorder.step(
    'Bank found and discovery checked',
    'GET /participants, GET /.well-known/openid-configuration',
    async () => {
      const lfis = await client.lfis()
      const found = lfis.find((one) => one.issuer === lfi.issuer)
      if (found === undefined) throw new Error(`the trust framework does not list ${lfi.issuer}`)
      return { value: await client.connect(found), saw: `${lfis.length} banks; issuer ${found.issuer}` }
    },
  )
}

async function enrol({ recorder, bank }: Demo): Promise<void> {
  await recorder.step('Application registered', 'POST /tpp-registration with the transport certificate', async () => {
    const { status } = await bank.register()
    return { value: null, saw: `${status}` }
  })
  await recorder.step('Application active', 'POST /token, client_credentials, openid accounts', async () => {
    const tokens = await bank.clientCredentials()
    return { value: null, saw: `token for ${lifetime(tokens)} s, scope ${tokens.scope ?? '(not said)'}` }
  })
}

async function fullConsent(
  demo: Demo,
  calls: readonly HttpCall[],
  other: TppClient | null,
): Promise<{ readonly tokens: Tokens; readonly firstRead: string }> {
  const { recorder, bank } = demo
  recorder.part('A consent for everything')
  const tokens = await authorize(demo, PERMISSIONS, 'all 21 permissions')
  const accounts = dataOf((await bank.read('/accounts', { accessToken: tokens.accessToken })).body, 'Account')
  const firstRead = calls.at(-1)?.interactionId ?? ''
  const accountId = accountOf(accounts)
  await serviceSteps(recorder, bank, payeeOf(accounts))
  recorder.part('Every account-information read')
  for (const read of READS) {
    const path = read.path.replace('{AccountId}', encodeURIComponent(accountId))
    await recorder.check(read.title, `GET ${read.path}`, async () => {
      const answer = await bank.read(path, { accessToken: tokens.accessToken })
      return { value: null, saw: `${answer.status}, ${sizeOf(dataOf(answer.body, read.member))}` }
    })
  }
  await pages(demo, `/accounts/${encodeURIComponent(accountId)}/transactions`, tokens)
  await consentReads(demo, tokens)
  await recorder.check('A signed answer, verified', 'GET /accounts, Accept: application/jwt', async () => {
    const answer = await bank.read('/accounts', { accessToken: tokens.accessToken, signed: true })
    const size = sizeOf(dataOf(answer.body, 'Account'))
    return { value: null, saw: `${answer.status}, ${size}, PS256 by key ${answer.signedBy ?? ''}` }
  })
  const renewed = await recorder.step('Token renewed', 'POST /token, refresh_token; then GET /accounts', async () => {
    const next = await bank.refresh(tokens)
    const answer = await bank.read('/accounts', { accessToken: next.accessToken })
    return { value: next, saw: `token for ${lifetime(next)} s, the read answers ${answer.status}` }
  })
  if (other !== null) await stolenToken(demo, other, renewed)
  return { tokens: renewed, firstRead }
}

async function pages({ recorder, bank }: Demo, first: string, tokens: Tokens): Promise<void> {
  await recorder.check('All pages of transactions', 'GET Links.Next until there is none', async () => {
    const seen = new Set<unknown>()
    let count = 0
    for (let path: string | null = first; path !== null; count += 1) {
      if (count === PAGES_MAX) throw new Error(`more than ${PAGES_MAX} pages`)
      const { body }: { readonly body: unknown } = await bank.read(path, { accessToken: tokens.accessToken })
      const items = dataOf(body, 'Transaction') as readonly { readonly TransactionId?: unknown }[]
      for (const { TransactionId: id } of items) {
        if (seen.has(id)) throw new Error('a transaction comes twice')
        seen.add(id)
      }
      path = bank.nextPath(body)
    }
    return { value: null, saw: `${count} pages, ${seen.size} transactions, none twice` }
  })
}

async function consentReads({ recorder, bank }: Demo, tokens: Tokens): Promise<void> {
  const consentId = tokens.consentId ?? ''
  await recorder.check('The consent', 'GET /account-access-consents/{ConsentId}', async () => {
    const answer = await bank.consent(consentId)
    return { value: null, saw: `${answer.status}, ${String(dataOf(answer.body, 'Status'))}` }
  })
  await recorder.check('Consents of the chain', 'GET /account-access-consents?baseConsentId=…', async () => {
    const answer = await bank.consents(consentId)
    if (!Array.isArray(answer.body)) throw new Error('the answer is not a list')
    return { value: null, saw: `${answer.status}, ${sizeOf(answer.body)}` }
  })
}

/** RFC 8705 section 3: a token is worth nothing without the certificate it was given to. */
async function stolenToken({ recorder, bank }: Demo, other: TppClient, tokens: Tokens): Promise<void> {
  await recorder.check('The token in other hands', 'GET /accounts with another application’s certificate', async () => {
    const thief = await other.connect(bank.lfi)
    return refusal(thief.read('/accounts', { accessToken: tokens.accessToken }), [{ status: 401 }])
  })
}

async function narrowConsent(demo: Demo): Promise<Tokens> {
  const { recorder, bank } = demo
  recorder.part('A consent for less')
  const basic = PRESETS.get('basic')?.permissions ?? []
  const tokens = await authorize(demo, basic, `only ${basic.join(', ')}`)
  const body = await recorder.step('A read inside the permissions', 'GET /accounts', async () => {
    const answer = await bank.read('/accounts', { accessToken: tokens.accessToken })
    return { value: answer.body, saw: `${answer.status}, ${sizeOf(dataOf(answer.body, 'Account'))}` }
  })
  const path = `/accounts/${encodeURIComponent(accountOf(dataOf(body, 'Account')))}/statements`
  await recorder.check('A read outside the permissions', 'GET /accounts/{AccountId}/statements', () =>
    refusal(bank.read(path, { accessToken: tokens.accessToken }), [{ status: 403, code: 'AccessToken.InvalidScope' }]),
  )
  return tokens
}

async function endOfConsent({ recorder, bank }: Demo, tokens: Tokens): Promise<void> {
  const consentId = tokens.consentId ?? ''
  recorder.part('The end of the first consent')
  await recorder.step('Consent revoked', 'PATCH /account-access-consents/{ConsentId} Status Revoked', async () => {
    const { status } = await bank.revoke(consentId)
    const now = dataOf((await bank.consent(consentId)).body, 'Status')
    if (now !== 'Revoked') throw new Error(`the consent says ${String(now)}`)
    return { value: null, saw: `${status}, the consent says ${now}` }
  })
  await recorder.check('A read after it', 'GET /accounts with the token from before', () =>
    refusal(bank.read('/accounts', { accessToken: tokens.accessToken }), [
      { status: 401 },
      { status: 400, code: 'Consent.Invalid' },
    ]),
  )
  await recorder.check('A refresh after it', 'POST /token, refresh_token', () =>
    refusal(bank.refresh(tokens), [{ status: 400, code: 'invalid_grant' }]),
  )
}

/** Push, approve at the bank, redeem: three steps. */
async function authorize(
  demo: Demo,
  permissions: readonly Permission[],
  label: string,
  baseConsentId?: string,
): Promise<Tokens> {
  const { recorder, bank, customer } = demo
  const { pending, url } = await recorder.step(
    'Consent pushed',
    `POST /par, signed request object, ${label}`,
    async () => {
      const pushed = await bank.requestConsent({
        permissions,
        expiresAt: new Date(Date.now() + CONSENT_DAYS * DAY_MS),
        ...(baseConsentId === undefined ? {} : { baseConsentId }),
      })
      return { value: pushed, saw: `request_uri to take to ${new URL(pushed.url).origin}` }
    },
  )
  const query = await recorder.step(
    'Customer signs in and approves',
    `the bank’s pages as ${customer.username}`,
    async () => {
      const { ca, redirectUri } = demo
      const done = await approveAtBank(url, { ca, redirectUri, customer })
      const error = done.query.get('error')
      if (error !== null) throw new Error(`the bank sent ${error}: ${done.query.get('error_description') ?? ''}`)
      const shown = done.pages.map((title) => `“${title}”`).join(', ')
      return { value: done.query, saw: `back with a code after ${shown}; ${done.accountsOffered} accounts offered` }
    },
  )
  return recorder.step('Code redeemed', 'POST /token, authorization_code with PKCE', async () => {
    const tokens = await bank.redeem(query, pending)
    const refreshable = tokens.refreshToken === null ? 'no refresh token' : 'refresh token'
    return {
      value: tokens,
      saw: `token for ${lifetime(tokens)} s, ${refreshable}, id_token verified, consent ${tokens.consentStatus ?? '(not said)'}`,
    }
  })
}

type Refusal = { readonly status: number; readonly code?: string }
async function refusal(work: Promise<unknown>, expected: readonly Refusal[]): Promise<Seen<null>> {
  const error = await work.then(
    () => new Error('it was allowed'),
    (reason: unknown) => reason,
  )
  if (!(error instanceof LfiFault)) throw error
  const { status, code } = error
  if (!expected.some((one) => one.status === status && (one.code ?? code) === code)) {
    throw new Error(`refused in an unexpected way: ${status ?? 'no answer'} ${code ?? ''} ${error.message}`)
  }
  return { value: null, saw: `refused: ${status} ${code ?? '(no body)'}` }
}

function accountOf(accounts: unknown): string {
  const [first] = accounts as readonly { readonly AccountId?: unknown }[]
  if (typeof first?.AccountId !== 'string') throw new Error('the bank shares no account')
  return first.AccountId
}

/** The first account that others can pay into. */
function payeeOf(accounts: unknown): Payee {
  type Account = {
    readonly AccountHolderName?: string
    readonly AccountIdentifiers?: readonly { readonly SchemeName: string; readonly Identification: string }[]
  }
  for (const { AccountHolderName: name, AccountIdentifiers = [] } of accounts as readonly Account[]) {
    const iban = AccountIdentifiers.find(({ SchemeName }) => SchemeName === 'IBAN')?.Identification
    if (iban !== undefined && name !== undefined) return { iban, name }
  }
  throw new Error('the bank shares no account with an IBAN')
}

const lifetime = (tokens: Tokens): number => Math.round((tokens.expiresAt - Date.now()) / 1000)
