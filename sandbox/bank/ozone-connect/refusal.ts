/** An expected failure, as Ozone Connect wants it told (lfi-api 6.1). */
export type RefusalCode =
  | 'Body.InvalidFormat'
  | 'Resource.InvalidFormat'
  | 'Consent.BusinessRuleViolation'
  | 'Consent.Invalid'
  | 'JWE.DecryptionError'
  | 'JWE.InvalidHeader'
  | 'JWS.InvalidSignature'
  | 'Consent.InvalidUserIdentifier'
  | 'Consent.AccountTemporarilyBlocked'
  | 'Consent.PermanentAccountAccessFailure'
  | 'GenericRecoverableError'
  | 'GenericError'
  | 'Caller.NotAuthenticated'
  | 'Resource.NotFound'

export class Refusal extends Error {
  readonly status: number
  readonly errorCode: RefusalCode
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, errorCode: RefusalCode, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.name = 'Refusal'
    this.status = status
    this.errorCode = errorCode
    this.headers = headers
  }
}

export const invalid = (what: string): Refusal => new Refusal(400, 'Resource.InvalidFormat', what)
export const unauthenticated = (why: string): Refusal =>
  new Refusal(401, 'Caller.NotAuthenticated', why, { 'www-authenticate': 'Bearer' })
