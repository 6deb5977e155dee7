/** One call of the LFI, as far as it has been checked, and what is answered to it. */
import type { Caller } from '../consent-store/index.ts'
import type { PeerCertificate } from '../tls.ts'

export type Call = {
  readonly params: ReadonlyMap<string, string>
  /** Checked against the document; numbers are still text. */
  readonly query: ReadonlyMap<string, string>
  /** Checked against the document; undefined where the operation takes none. */
  readonly body: unknown
  readonly caller: Caller
  readonly peer: PeerCertificate | null
}
export type Answer = { readonly status: 200; readonly body: object } | { readonly status: 204 }
export type Handler = (call: Call) => Promise<Answer>

export const one = (data: unknown): Answer => ({ status: 200, body: { data, meta: {} } })

export function param(call: Call, name: string): string {
  const value = call.params.get(name)
  if (value === undefined) throw new Error(`the route has no ${name}`)
  return value
}
