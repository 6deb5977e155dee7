/** What the routes share. */
import type { UserSpec } from '../data/spec.ts'
import type { PersonalReader } from '../payments/personal.ts'
import type { Staff } from '../staff.ts'
import type { Hub } from './hub.ts'
import type { Login } from './login.ts'
import type { Sessions } from './session.ts'
import type { Site } from './templates.ts'
import type { Cookie } from './visit.ts'

export type Rooms = {
  readonly site: Site
  readonly hub: Hub
  readonly personal: PersonalReader
  readonly now: () => number
  readonly sessions: Sessions
  readonly cookie: Cookie
  readonly login: Login<UserSpec>
  readonly staffLogin: Login<Staff>
}
