/** How an authorization can end without consent: what the TPP is told and what happens to the consent (lfi-api 1.5). */
type Ending = {
  readonly error: 'access_denied' | 'invalid_request' | 'server_error' | 'temporarily_unavailable'
  readonly consent: 'untouched' | 'rejected' | 'rejected if possible'
}

const ending = (error: Ending['error'], consent: Ending['consent']): Ending => ({ error, consent })

export const FAILURES = {
  authentication: {
    user_failed_to_authenticate: ending('access_denied', 'untouched'),
    user_failed_step_up_authentication: ending('access_denied', 'rejected'),
    user_account_blocked: ending('access_denied', 'untouched'),
    lfi_internal_error: ending('server_error', 'untouched'),
    api_hub_communication_error: ending('server_error', 'untouched'),
    lfi_temporarily_unavailable: ending('temporarily_unavailable', 'untouched'),
  },
  authorization: {
    user_rejected_consent: ending('access_denied', 'rejected'),
    user_lacks_eligible_accounts: ending('invalid_request', 'rejected'),
    consent_not_supported: ending('access_denied', 'rejected'),
    session_expired: ending('access_denied', 'rejected'),
    lfi_internal_error: ending('server_error', 'rejected'),
    api_hub_communication_error: ending('server_error', 'rejected if possible'),
    lfi_temporarily_unavailable: ending('temporarily_unavailable', 'rejected'),
    // Service initiation only; this bank does not offer it yet.
    user_does_not_own_debtor_account: ending('invalid_request', 'rejected'),
  },
} as const satisfies Record<string, Record<string, Ending>>

export type Failure =
  | { readonly stage: 'authentication'; readonly reason: keyof (typeof FAILURES)['authentication'] }
  | { readonly stage: 'authorization'; readonly reason: keyof (typeof FAILURES)['authorization'] }

export const endingOf = (failure: Failure): Ending =>
  failure.stage === 'authentication' ? FAILURES.authentication[failure.reason] : FAILURES.authorization[failure.reason]
