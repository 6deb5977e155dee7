import type { Failed } from './exchange.ts'

/** What stands in the Authorization header of a call to the LFI. */
export type LfiAuthorization = {
  /** Of the Authorization header; null where mutual TLS is all there is, a failure where it could not be had. */
  value(): Promise<string | Failed> | string | null
  /** Whether another value can be had instead of this one, which the LFI has refused. */
  refused(value: string): boolean
  close(): Promise<void>
}
