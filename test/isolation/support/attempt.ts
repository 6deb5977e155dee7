/** What is tried at a door, by whom, on what. The tables beside this file say it for every operation that a door has. */
import type { FixedRole } from '../../../src/config.ts'
import type { Certificate } from '../../gateway/support/pki.ts'
import type { Answer, Call } from '../../gateway/support/tpp.ts'
import type { Aim } from './aim.ts'
import type { Tokens } from './tokens.ts'
import type { TwoBanks } from './two-banks.ts'

export type Who = 'other TPP' | 'same TPP, other LFI' | 'other LFI' | 'no certificate'
export type Tenant = 'aurora' | 'meridian'
/** Where it is played. */
export type Stage = { readonly banks: TwoBanks; readonly tokens: Tokens }

export type Attempt = {
  readonly tenant: Tenant
  readonly door: FixedRole
  readonly who: Who
  readonly what: string
  /** Status of both answers. */
  readonly status: number
  /**
   * Codes and refresh tokens are secrets. Whoever has one knows that it exists, so only the answer must be the same; what
   * is looked up for it may be more.
   */
  readonly isSecret?: true
  readonly ask: (aim: Aim, stage: Stage) => Promise<Answer>
}

/** One operation, tried on what `Aim` names. */
export type Tried = Omit<Call, 'certificate' | 'path'> & {
  readonly path: (aim: Aim) => string
  /** What whoever may call is told of what does not exist. */
  readonly absent: number
}
/** An operation that can be aimed at nobody: it names no consent, nor anything that belongs to one. */
export type NamesNothing = { readonly names: 'nothing' }
export const NOTHING: NamesNothing = { names: 'nothing' }
/** By operation, each of them: one without a row does not compile. */
export type Doors<Operation extends string> = Readonly<Record<Operation, Tried | readonly Tried[] | NamesNothing>>

export const JSON_TYPE = { 'content-type': 'application/json' }
export const FORM_TYPE = { 'content-type': 'application/x-www-form-urlencoded' }
export const get = (absent: number, path: Tried['path']): Tried => ({ absent, path })
export const send = (method: string, absent: number, path: Tried['path'], body: object): Tried => ({
  method,
  absent,
  path,
  headers: JSON_TYPE,
  body: JSON.stringify(body),
})

export function certificateOf(who: Who, { banks }: Stage): Certificate | null {
  const { parties } = banks.world
  if (who === 'other TPP') return parties.otherUae.certificate
  if (who === 'same TPP, other LFI') return parties.uae.certificate
  return who === 'other LFI' ? banks.otherBank : null
}

/** At a door of the LFI: by those who may not call there at all, and by the other LFI at its own. */
export function attemptsAt(door: FixedRole, doors: Doors<string>): readonly Attempt[] {
  return Object.entries(doors).flatMap(([operation, row]) => {
    if ('names' in row) return []
    return [row].flat().flatMap(({ absent, path, ...call }, at) => {
      const what = at === 0 ? operation : `${operation}, another way`
      const attempt = (tenant: Tenant, who: Who, status: number): Attempt => ({
        tenant,
        door,
        who,
        what,
        status,
        ask: (aim, stage) =>
          stage.banks.call[tenant](door, { ...call, path: path(aim), certificate: certificateOf(who, stage) }),
      })
      return [
        attempt('aurora', 'other LFI', 401),
        attempt('aurora', 'other TPP', 401),
        attempt('meridian', 'other LFI', absent),
      ]
    })
  })
}
