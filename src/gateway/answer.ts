/** What a request path ends in when it does not fail: a status and, where the operation has one, the plain body. */
export class Answer {
  readonly status: 200 | 201 | 204
  readonly body: unknown
  /** Records in the body, for the audit entry; null where counting means nothing. */
  readonly records: number | null

  constructor(status: 200 | 201 | 204, body: unknown = null, records: number | null = null) {
    this.status = status
    this.body = body
    this.records = records
  }
}
