import { createHash } from 'node:crypto'
import { readBody } from '../../body.ts'
import { HubError } from '../../errors.ts'
import { LFI_CODES, lfiHeaders, toTppError } from '../../lfi/index.ts'
import { Answer } from '../answer.ts'
import { stage } from '../stage.ts'

const ROUTE = '/payment-consents/{consentId}/file'
/** Before the user has decided, so that the LFI can show what is in it, or after (tpp-api 5.3 is silent). */
const TAKING: ReadonlySet<string> = new Set(['AwaitingAuthorization', 'Authorized'])

/** The file itself is read, for its digest: it must be the one that the consent names. It is not kept (lfi-api 3.9.3). */
export const readFile = stage({
  name: 'read-file',
  needs: ['arrival', 'owned'],
  adds: ['file'],
  fails: ['PayloadTooLarge', 'Body.InvalidFormat', 'Consent.Invalid', 'Consent.FailsControlParameters'],
  async run({ arrival, owned }, { tenant }) {
    const { control } = owned.payment
    if (control.kind !== 'file') {
      throw new HubError('Consent.FailsControlParameters', {
        rule: 'payment.limits',
        reason: 'The consent is not for a file of payments',
      })
    }
    if (!TAKING.has(owned.status))
      throw new HubError('Consent.Invalid', {
        rule: 'consent.usable',
        seen: owned.status,
        reason: `The consent is ${owned.status}`,
      })
    const bytes = await readBody(arrival.request, tenant.limits.fileBytesMax)
    if (bytes.length === 0)
      throw new HubError('Body.InvalidFormat', { rule: 'body.form', reason: 'a file is required', path: '$' })
    if (createHash('sha256').update(bytes).digest('base64') !== control.file.fileHash) {
      throw new HubError('Consent.FailsControlParameters', {
        rule: 'payment.file',
        reason: 'The file is not the one of the consent: its SHA-256 is another',
        path: 'FileHash',
      })
    }
    return { file: { bytes, contentType: arrival.headers['content-type'] ?? 'application/octet-stream' } }
  },
})

/** Handing over the same file again changes nothing: the key of the request need not be kept, and a caller may go. */
export const handOverFile = stage({
  name: 'hand-over-file',
  needs: ['arrival', 'askingRoute', 'client', 'owned', 'file'],
  adds: ['exchange'],
  fails: [],
  async run({ arrival, askingRoute, client, owned, file }, { tenant, routes, connector }) {
    const headers = lfiHeaders({
      tenantId: tenant.id,
      client,
      consent: owned,
      apiUri: routes.template(askingRoute),
      method: arrival.method,
      correlationId: arrival.correlationId,
      correlationGiven: arrival.correlationGiven,
      fxOnly: false,
    })
    const target = ROUTE.replace('{consentId}', owned.id)
    const { bytes: body, contentType } = file
    const call = {
      operationId: 'createBulkBatchPaymentInstructionFile',
      method: 'POST',
      route: ROUTE,
      target,
      headers,
      under: owned,
      trace: arrival.trace,
      body,
      contentType,
    } as const
    return { exchange: await connector.ask(call, arrival.gone) }
  },
})

export const answerHandedOver = stage({
  name: 'answer-handed-over',
  needs: ['exchange'],
  adds: [],
  fails: LFI_CODES,
  run({ exchange }) {
    const { attempt } = exchange
    if (attempt.outcome === 'answered' && attempt.status >= 200 && attempt.status <= 299) return new Answer(200)
    throw toTppError(attempt, { has404: false })
  },
})
