/** A day of traffic through the real gateway, under a clock that the test moves. */
import { createSealer } from '../../../src/audit/index.ts'
import { createLog } from '../../../src/log.ts'
import { json } from '../../gateway/support/outside.ts'
import { createWorld, type Tpp, type World } from '../../gateway/support/world.ts'
import { newAuditKey } from '../../support/audit-log.ts'
import { type HandClock, handClock } from '../../support/clock.ts'
import { SAMPLES } from '../../unit/gateway/samples.ts'

export const HOUR = 3_600_000
export const GULF = 4 * HOUR
export const log = createLog({ level: 'silent', name: 'test' })
export const dateOf = (at: number): string => new Date(at + GULF).toISOString().slice(0, 10)

/** The last whole day of the Gulf: certificates of the rig are good then and now. */
export function lastDay(): { readonly date: string; readonly from: number; readonly to: number } {
  const day = 24 * HOUR
  const to = Math.floor((Date.now() + GULF) / day) * day - GULF
  return { date: dateOf(to - day), from: to - day, to }
}

export type Day = {
  readonly world: World
  readonly clock: HandClock
  moveTo(at: number): void
  seal(): Promise<unknown>
  /** One read of balances; `how` is what the LFI does. */
  read(tpp: Tpp, how: 'well' | 'fails' | 'silent' | 'refuses', more?: Readonly<Record<string, string>>): Promise<number>
}

/** With the key of a configuration, the command line can export the log of the day. */
export async function startDay(begin: number, key = newAuditKey()): Promise<Day> {
  const clock = handClock(begin)
  const world = await createWorld({ clock, timeoutMs: 400 })
  const sealer = createSealer({ db: world.db, tenantId: world.tenant.id, key, clock, log })
  const answers = {
    well: json(200, SAMPLES.balances.lfi),
    fails: json(500, {}),
    silent: () => {},
    refuses: json(400, { errorCode: 'Consent.BusinessRuleViolation', errorMessage: 'no' }),
  }
  return {
    world,
    clock,
    moveTo: (at) => clock.advance(at - clock.at),
    seal: () => sealer.sealNow(),
    async read(tpp, how, more = {}) {
      world.lfi.answer = answers[how]
      const token = await world.userToken(await world.consentOf({ tpp }))
      const { certificate } = tpp
      return (await world.get('/accounts/acc-1/balances', token, { certificate, headers: more })).status
    },
  }
}
