/** What the portal does not do, told in the reader's own language. */
import type { Words } from './words/index.ts'

export type RefusalReason = Exclude<keyof Words['shell']['refused'], 'title' | 'act' | 'reference'>

const STATUS: Readonly<Record<RefusalReason, number>> = {
  organisation: 403,
  role: 403,
  login: 400,
  state: 400,
  provider: 503,
  right: 403,
  form: 403,
  own: 403,
  decided: 409,
  notFound: 404,
  method: 405,
  failed: 500,
}

export class Refused extends Error {
  readonly reason: RefusalReason

  constructor(reason: RefusalReason, options?: { readonly cause?: unknown }) {
    super(reason, options)
    this.name = 'Refused'
    this.reason = reason
  }

  get status(): number {
    return STATUS[this.reason]
  }
}
