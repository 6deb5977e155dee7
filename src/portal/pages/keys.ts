/** What the hub signs and decrypts with, and its certificates: where each is in its life, and what can be done. */
import { daysLeft, type KnownCertificate, type Urgency, urgencyOf } from '../../certificates.ts'
import { type Html, html } from '../../html.ts'
import { KEY_USES, type KeyState, type KeyUse, type ListedKey } from '../../keys/index.ts'
import { keyOperations } from '../acts/keys.ts'
import { actForm, code, table } from '../parts.ts'
import type { Page, Visit } from '../visit.ts'

const STATE_CLASS: Readonly<Record<KeyState, string>> = {
  next: 'warn',
  active: 'good',
  retired: 'plain',
  ended: 'plain',
}
const URGENCY_CLASS: Readonly<Record<Urgency, string>> = { good: 'good', soon: 'warn', urgent: 'bad', over: 'bad' }

export const keys: Page = {
  name: 'keys',
  path: '/keys',
  isListed: true,
  show: async (visit) => {
    const { rooms, session, tongue } = visit
    const { keys: words } = tongue.words
    const isStored = rooms.tenant.keys.store !== null
    const all = await keyOperations(rooms, session.person.subject).list()
    return {
      body: html`<p>${isStored ? words.stored : words.files}</p>
${KEY_USES.map((use) => keysOf(visit, use, { isStored, keys: all.filter((key) => key.use === use) }))}
${certificatesOf(visit)}`,
    }
  },
}

function keysOf(
  visit: Visit,
  use: KeyUse,
  { isStored, keys: all }: { readonly isStored: boolean; readonly keys: readonly ListedKey[] },
): Html {
  const { tongue } = visit
  const { keys: words, shell } = tongue.words
  const list = table({
    caption: words.uses[use],
    columns: [
      words.kid,
      words.state,
      words.source,
      words.made,
      words.signsFrom,
      words.retiresAt,
      words.goodUntil,
      shell.actions,
    ],
    empty: shell.none,
    rows: all.map(({ kid, state, source, times }) => [
      code(kid),
      html`<span class="state ${STATE_CLASS[state]}">${words.states[state]}</span>`,
      words.sources[source],
      ...[times?.createdAt, times?.activatesAt, times?.retiredAt, times?.verifyUntil].map((at) =>
        at === undefined || at === null ? html`–` : tongue.time(at),
      ),
      isStored && (state === 'next' || state === 'retired')
        ? actForm(visit, 'keys.retire', { kid }, { about: kid, isGrave: true })
        : null,
    ]),
  })
  if (!isStored) return list
  return html`${list}${actForm(visit, 'keys.rotate', { use }, { about: words.uses[use], isGrave: true })}`
}

function certificatesOf({ rooms, tongue }: Visit): Html {
  const { keys: words } = tongue.words
  const now = rooms.clock.now()
  const left = (each: KnownCertificate): Html => {
    const urgency = urgencyOf(each, now)
    return html`<span class="state ${URGENCY_CLASS[urgency]}">${words.urgencies[urgency]}</span> ${words.days(
      tongue.number(daysLeft(each.expiresAt, now)),
    )}`
  }
  const list = (kind: KnownCertificate['kind'], caption: string): Html =>
    table({
      caption,
      columns: [words.certificate, words.subject, words.issuer, words.endsAt, words.left],
      empty: '',
      rows: rooms.certificates
        .filter((each) => each.kind === kind)
        .map((each) => [
          code(each.name),
          code(each.subject),
          code(each.issuer),
          tongue.time(each.expiresAt),
          left(each),
        ]),
    })
  return html`${list('own', words.certificates)}
<p class="hint">${words.renewed}</p>
${list('authority', words.authorities)}
<p class="hint">${words.replaced}</p>`
}
