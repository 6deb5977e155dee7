/** What a request path ends in when it does not fail: a status and, where the operation has one, the plain body. */
export class Answer {
  readonly status: 200 | 201 | 204
  readonly body: unknown
  /** Records in the body, for the audit entry; null where counting means nothing. */
  readonly records: number | null
  readonly headers: Readonly<Record<string, string>>
  /** The body as a signed message, where it was signed before. */
  readonly signed: string | null

  constructor(status: 200 | 201 | 204, body: unknown = null, records: number | null = null, more: Further = {}) {
    this.status = status
    this.body = body
    this.records = records
    this.headers = more.headers ?? {}
    this.signed = more.signed ?? null
  }
}

type Further = { readonly headers?: Readonly<Record<string, string>>; readonly signed?: string | null }

/** A body that goes through as the LFI wrote it. */
export class Bytes {
  readonly bytes: Buffer
  readonly contentType: string

  constructor(bytes: Buffer, contentType: string) {
    this.bytes = bytes
    this.contentType = contentType
  }
}
