import { narrowPeriod, OPEN_PERIOD, PERIOD_PARAMETERS } from '../period.ts'
import { stage } from '../stage.ts'

/** The period asked for, within the one that the user agreed to. */
export const narrowToConsent = stage({
  name: 'narrow-period',
  needs: ['read', 'query', 'consent'],
  adds: ['period'],
  fails: ['Resource.InvalidFormat'],
  run({ read, query, consent }, { clock }) {
    const kind = read.lfi.period
    if (kind === null) return { period: OPEN_PERIOD }
    const [from, to] = PERIOD_PARAMETERS[kind]
    const { FromDate, ToDate } = consent.request.consent
    const window = { fromDate: date(FromDate), toDate: date(ToDate) }
    return { period: narrowPeriod(kind, { from: query[from], to: query[to] }, window, clock.now()) }
  },
})

const date = (value: unknown): string | null => (typeof value === 'string' ? value.slice(0, 10) : null)
