/** The hub's headless authorization API and consent manager, as far as this bank uses them (lfi-api 1, 2). */
import type { Log } from '../log.ts'
import { type Consent, readConsent } from './consent.ts'
import { type Change, readChange } from './history.ts'
import { type Answer, type Call, createTransport, HubFailure, type TransportSettings } from './hub-transport.ts'
import { items, member, text } from './json.ts'

export type AuthOutcome =
  | { readonly kind: 'valid'; readonly interactionId: string; readonly consentId: string }
  | { readonly kind: 'redirect'; readonly location: string }
  | { readonly kind: 'refused'; readonly error: string; readonly description: string; readonly interactionId: string }

export type Hub = {
  /** The query exactly as the browser brought it. */
  auth(query: string): Promise<AuthOutcome>
  /** The address to send the browser to, which must not be altered. */
  confirm(interactionId: string): Promise<string>
  fail(interactionId: string, error: string, description: string): Promise<string>
  consent(consentId: string): Promise<Consent>
  consentsOf(userId: string): Promise<readonly Consent[]>
  consentsOfAccount(accountId: string): Promise<readonly Consent[]>
  /** One page, of all customers or of one. */
  find(query: ConsentQuery): Promise<Found>
  /** Oldest first. */
  history(consentId: string): Promise<readonly Change[]>
  patch(consentId: string, changes: object): Promise<void>
  revoke(consentId: string, by: Revocation): Promise<void>
  close(): Promise<void>
}

/** lfi-api 2.5: the bank's own decision, or the wish of one of its users. */
export type Revocation =
  | { readonly revokedBy: 'LFI' }
  | { readonly revokedBy: 'LFI.InitiatedByUser'; readonly revokedByPsu: { readonly userId: string } }

/** What the consent manager can narrow a list by (lfi-api 2.2). */
export type ConsentQuery = {
  readonly status?: string
  readonly consentType?: string
  /** Strictly later; not together with a user. */
  readonly changedSince?: number
  readonly userId?: string
  readonly page: number
  readonly pageSize: number
}
export type Found = { readonly consents: readonly Consent[]; readonly pages: number; readonly total: number }

/** The most that the consent manager gives at a time. */
const PAGE_SIZE = 1000

export async function createHub(settings: TransportSettings, log: Log, now: () => number): Promise<Hub> {
  const transport = await createTransport(settings, log, now)
  const { hh, cm } = settings.hub
  const consentUrl = (id: string) => `${cm}/consents/${encodeURIComponent(id)}`
  const endUrl = (id: string, end: 'doConfirm' | 'doFail') => `${hh}/auth/${encodeURIComponent(id)}/${end}`

  async function expect(status: number, call: Call): Promise<Answer> {
    const answer = await transport.call(call)
    if (answer.status !== status) throw unexpected(call, answer)
    return answer
  }
  async function end(call: Call): Promise<string> {
    const answer = await expect(303, call)
    if (answer.location === null) throw unexpected(call, answer)
    return answer.location
  }

  async function page(route: string, address: string, query: Omit<ConsentQuery, 'userId'>): Promise<Found> {
    const { changedSince, ...rest } = query
    const parameters = { ...rest, ...(changedSince === undefined ? {} : { updatedAt: changedSince }) }
    const asked = Object.entries(parameters).map(([name, value]): [string, string] => [name, String(value)])
    const { body } = await expect(200, { route, url: `${address}?${new URLSearchParams(asked)}` })
    const [pages, total] = [member(body, 'meta', 'totalPages'), member(body, 'meta', 'totalRecords')]
    return {
      consents: items(member(body, 'data')).flatMap((record) => readConsent(record) ?? []),
      pages: typeof pages === 'number' ? pages : 1,
      total: typeof total === 'number' ? total : 0,
    }
  }
  async function all(route: string, address: string): Promise<readonly Consent[]> {
    const found: Consent[] = []
    for (let at = 1, pages = 1; at <= pages; at += 1) {
      const next = await page(route, address, { page: at, pageSize: PAGE_SIZE })
      found.push(...next.consents)
      pages = next.pages
    }
    return found
  }
  const ofUser = (userId: string) => `${cm}/psu/${encodeURIComponent(userId)}/consents`

  return {
    async auth(query) {
      const call: Call = { route: 'GET /auth', url: `${hh}/auth${query === '' ? '' : `?${query}`}` }
      return outcomeOf(call, await transport.call(call))
    },
    confirm: (id) => end({ route: 'POST doConfirm', method: 'POST', url: endUrl(id, 'doConfirm'), send: { form: {} } }),
    fail: (id, error, description) =>
      end({
        route: 'POST doFail',
        method: 'POST',
        url: endUrl(id, 'doFail'),
        send: { form: { error, error_description: description } },
      }),
    async consent(id) {
      const call: Call = { route: 'GET consent', url: consentUrl(id) }
      const answer = await expect(200, call)
      const consent = readConsent(member(answer.body, 'data'))
      if (consent === null) throw unexpected(call, answer)
      return consent
    },
    consentsOf: (userId) => all('GET consents of a user', ofUser(userId)),
    consentsOfAccount: (accountId) =>
      all('GET consents of an account', `${cm}/accounts/${encodeURIComponent(accountId)}/consents`),
    find: ({ userId, ...query }) =>
      userId === undefined
        ? page('GET consents', `${cm}/consents`, query)
        : page('GET consents of a user', ofUser(userId), query),
    async history(id) {
      const { body } = await expect(200, { route: 'GET audit of a consent', url: `${consentUrl(id)}/audit` })
      const changes = items(member(body, 'data')).flatMap((row) => readChange(row) ?? [])
      return changes.toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
    },
    async patch(id, changes) {
      await expect(204, { route: 'PATCH consent', method: 'PATCH', url: consentUrl(id), send: { json: changes } })
    },
    async revoke(id, json) {
      await expect(204, {
        route: 'POST revoke',
        method: 'POST',
        url: `${consentUrl(id)}/action/revoke`,
        send: { json },
      })
    },
    close: () => transport.close(),
  }
}

/** The three answers of lfi-api 1.3.2; anything else is no answer at all. */
function outcomeOf(call: Call, answer: Answer): AuthOutcome {
  switch (answer.status) {
    case 200: {
      const interactionId = text(member(answer.body, 'interaction', 'interactionId'))
      const consentId = text(items(member(answer.body, 'interaction', 'consentIdsList'))[0])
      if (interactionId === null || consentId === null) throw unexpected(call, answer)
      return { kind: 'valid', interactionId, consentId }
    }
    case 303:
      if (answer.location === null) throw unexpected(call, answer)
      return { kind: 'redirect', location: answer.location }
    case 400:
      return {
        kind: 'refused',
        error: text(member(answer.body, 'error')) ?? 'server_error',
        description: text(member(answer.body, 'error_description')) ?? 'The request cannot be trusted.',
        interactionId: text(member(answer.body, 'interactionId')) ?? answer.interactionId,
      }
    default:
      throw unexpected(call, answer)
  }
}

const unexpected = (call: Call, answer: Answer): HubFailure =>
  new HubFailure(`${call.route} answered ${answer.status}`, answer.interactionId)
