/** Outages: announced ahead, begun now, ended (src/reports/outages.ts). */
import { HubError } from '../../errors.ts'
import type { ActRooms } from '../rooms.ts'
import type { Verb } from './verb.ts'

type Subject = 'lfi' | 'hub'

export const planOutage: Verb<'subject' | 'startsAt' | 'endsAt' | 'reason'> = {
  fields: ['subject', 'startsAt', 'endsAt', 'reason'],
  people: 'one',
  target: ({ subject, startsAt, endsAt }) => `planned outage of ${subject} ${startsAt} ${endsAt}`,
  look: lasting,
  run: async ({ reports }, { subject, startsAt, endsAt, reason }, { operator }) => {
    const span = { startsAt: inTheGulf(startsAt), endsAt: inTheGulf(endsAt) }
    await reports.outages.plan({ subject: subjectOf(subject), reason, ...span }, operator)
  },
}

export const beginOutage: Verb<'subject' | 'reason'> = {
  fields: ['subject', 'reason'],
  people: 'one',
  target: ({ subject }) => `outage of ${subject}`,
  look: lasting,
  run: async ({ reports }, { subject, reason }, { operator }) => {
    await reports.outages.begin({ subject: subjectOf(subject), reason }, operator)
  },
}

export const endOutage: Verb<'id'> = {
  fields: ['id'],
  people: 'one',
  target: ({ id }) => id,
  look: lasting,
  run: async ({ reports }, { id }, { operator }) => {
    await reports.outages.end(id, operator)
  },
}

async function lasting({ reports, clock }: ActRooms): Promise<string> {
  const now = clock.now()
  const open = (await reports.outages.list()).filter(({ endsAt }) => endsAt === null || Date.parse(endsAt) > now)
  return `${open.length} announced or lasting`
}

function subjectOf(text: string): Subject {
  if (text === 'lfi' || text === 'hub') return text
  throw new HubError('Body.InvalidFormat', { path: 'subject', reason: 'subject must be lfi or hub' })
}

/** A browser sends what somebody typed, without a zone: the portal's clock is that of the Gulf. */
const inTheGulf = (text: string): string =>
  /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?$/.test(text) ? `${text}+04:00` : text
