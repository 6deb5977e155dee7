/** What can go wrong between a TPP and a hub, in the words of whoever has to tell a person about it. */

export type FaultKind =
  /** The hub or bank did not answer, or not over TLS we trust. */
  | 'unreachable'
  /** An OAuth error: PAR, callback or token endpoint. */
  | 'oauth'
  /** A resource operation was refused. */
  | 'resource'
  /** The answer breaks the profile; it must not be believed. */
  | 'untrusted'

export type FaultDetail = {
  readonly status?: number | undefined
  readonly code?: string | undefined
  readonly interactionId?: string | null | undefined
  readonly cause?: unknown
}

export class LfiFault extends Error {
  readonly kind: FaultKind
  readonly status: number | null
  /** OAuth `error` or the resource error's `Code`. */
  readonly code: string | null
  readonly interactionId: string | null

  constructor(kind: FaultKind, message: string, detail: FaultDetail = {}) {
    super(message, { cause: detail.cause })
    this.name = 'LfiFault'
    this.kind = kind
    this.status = detail.status ?? null
    this.code = detail.code ?? null
    this.interactionId = detail.interactionId ?? null
  }
}

export const untrusted = (message: string, cause?: unknown): LfiFault => new LfiFault('untrusted', message, { cause })
