/**
 * Payments, as the gateway orders them (lfi-api 3.9). Money may move, so nothing of this is asked unless whoever probes
 * has said how much; the heart of it is that the same order twice is one payment.
 */
import { createHash, randomUUID } from 'node:crypto'
import type { TenantConfig } from '../config.ts'
import type { SchemaRegistry } from '../schema-registry.ts'
import type { Caller } from './caller.ts'
import type { ProbeCall } from './calls.ts'
import { judge, reportOf } from './judge.ts'
import { type Finding, finding, type OperationReport, type PaymentTarget, type ProbeTarget } from './report.ts'

type Deps = { readonly tenant: TenantConfig; readonly registry: SchemaRegistry }
type Asking = {
  readonly name: string
  readonly call: ProbeCall
  /** What the answer has to say beyond its form. */
  readonly check?: (body: unknown) => readonly Finding[]
}

const PAYMENT = { document: 'service-initiation', sends: 'consent', paged: null, accountId: null } as const
const API = '/open-finance/payment/v2.1'
const PURPOSE = 'ACM'

export async function probePayments(
  deps: Deps,
  caller: Caller,
  target: ProbeTarget,
): Promise<readonly OperationReport[]> {
  const { payments } = target
  if (payments === null) return []
  const reports: OperationReport[] = []
  const ask = async ({ name, call, check }: Asking): Promise<unknown> => {
    const exchange = await caller.call(call)
    const limits = { statuses: call.expects, withinMs: target.withinMs }
    const { findings, body } = judge(deps.registry, call, exchange, limits)
    reports.push(reportOf(name, exchange, [...findings, ...(check?.(body) ?? [])]))
    return body
  }
  await probeOne(deps, caller, payments, ask)
  if (payments.file !== null) await probeFile(deps, caller, payments.file, ask)
  return reports
}

async function probeOne(
  deps: Deps,
  caller: Caller,
  { amount, personal, consentId: given }: PaymentTarget,
  ask: (asking: Asking) => Promise<unknown>,
): Promise<void> {
  const consentId = given ?? randomUUID()
  const Amount = { Amount: amount, Currency: 'AED' }
  const order = (key: string, more: object = {}) => ({
    ...orderCall(consentId),
    body: orderBody(deps, caller, {
      key,
      paymentType: 'cbuae-payment',
      data: {
        ConsentId: consentId,
        Instruction: { Amount },
        ...(personal === null ? {} : { PersonalIdentifiableInformation: personal }),
        PaymentPurposeCode: PURPOSE,
        OpenFinanceBilling: { Type: 'PushP2P' },
        ...more,
      },
    }),
  })
  const isOurs = (body: unknown) => [
    ...differs(body, 'data.consentId', consentId),
    ...differs(body, 'data.instruction.Amount.amount', amount),
  ]
  const key = randomUUID()
  const paid = await ask({ name: 'POST /payments', call: order(key), check: isOurs })
  const id = valueAt(paid, 'data.id')
  if (typeof id === 'string') {
    const isSame = (body: unknown) => differs(body, 'data.id', id)
    await ask({ name: 'POST /payments again under the same key', call: order(key), check: isSame })
    await ask({ name: 'GET /payments/{paymentId}', call: statusCall(consentId, id, [200]), check: isSame })
  }
  await ask({
    name: 'GET /payment-consents/{consentId}/refund',
    call: {
      ...PAYMENT,
      operationId: 'getRefund',
      method: 'GET',
      path: '/payment-consents/{consentId}/refund',
      target: `/payment-consents/${consentId}/refund`,
      apiUri: `${API}/payment-consents/{ConsentId}/refund`,
      consentId,
      expects: [200],
    },
  })
  const without = { ...order(randomUUID(), { PaymentPurposeCode: undefined }), expects: [400] }
  await ask({ name: 'POST /payments without a purpose', call: without })
  const stranger = statusCall(consentId, randomUUID(), [400, 404])
  await ask({ name: 'GET /payments/{paymentId} of a payment that nobody made', call: stranger })
}

async function probeFile(
  deps: Deps,
  caller: Caller,
  { bytes, described, consentId: given }: NonNullable<PaymentTarget['file']>,
  ask: (asking: Asking) => Promise<unknown>,
): Promise<void> {
  const consentId = given ?? randomUUID()
  const request = { ...described, FileHash: createHash('sha256').update(bytes).digest('base64') }
  await ask({
    name: 'POST /payment-consents',
    call: {
      ...PAYMENT,
      operationId: 'createBulkBatchPaymentConsent',
      method: 'POST',
      path: '/payment-consents',
      target: '/payment-consents',
      apiUri: '/par',
      consentId,
      body: { consentId, request },
      expects: [201],
    },
  })
  await ask({
    name: 'POST /payment-consents/{consentId}/file',
    call: {
      ...PAYMENT,
      operationId: 'createBulkBatchPaymentInstructionFile',
      method: 'POST',
      path: '/payment-consents/{consentId}/file',
      target: `/payment-consents/${consentId}/file`,
      apiUri: `${API}/payment-consents/{ConsentId}/file`,
      consentId,
      file: bytes,
      expects: [204],
    },
  })
  const data = { ConsentId: consentId, Instruction: request, PaymentPurposeCode: PURPOSE }
  const body = orderBody(deps, caller, { key: randomUUID(), paymentType: 'cbuae-file-payment', data })
  const paid = await ask({ name: 'POST /payments for a file', call: { ...orderCall(consentId), body } })
  const id = valueAt(paid, 'data.id')
  if (typeof id !== 'string') return
  await ask({
    name: 'GET /payments/{paymentId}/report-file',
    call: {
      ...statusCall(consentId, id, [200]),
      operationId: 'reportFile',
      path: '/payments/{paymentId}/report-file',
      target: `/payments/${encodeURIComponent(id)}/report-file`,
      apiUri: `${API}/file-payments/{PaymentId}/report`,
      isFile: true,
    },
  })
}

const orderCall = (consentId: string): Omit<ProbeCall, 'body'> => ({
  ...PAYMENT,
  operationId: 'makePayment',
  method: 'POST',
  path: '/payments',
  target: '/payments',
  apiUri: `${API}/payments`,
  consentId,
  expects: [201],
})

const statusCall = (consentId: string, id: string, expects: readonly number[]): ProbeCall => ({
  ...PAYMENT,
  operationId: 'getPayment',
  method: 'GET',
  path: '/payments/{paymentId}',
  target: `/payments/${encodeURIComponent(id)}`,
  apiUri: `${API}/payments/{PaymentId}`,
  consentId,
  expects,
})

function orderBody(
  { tenant }: Deps,
  { client }: Caller,
  { key, paymentType, data }: { readonly key: string; readonly paymentType: string; readonly data: object },
): unknown {
  return {
    requestUrl: `${tenant.listeners.rs.origin}${API}/payments`,
    paymentType,
    request: { Data: data },
    requestHeaders: { 'content-type': 'application/jwt', 'x-idempotency-key': key },
    tpp: {
      clientId: client.clientId,
      orgId: client.organisationId,
      softwareStatementId: client.softwareStatementId,
      tppId: client.organisationId,
      tppName: 'Falaj Probe',
      decodedSsa: { client_id: client.clientId },
    },
  }
}

/** A member that need not be there is right when it is not. */
function differs(body: unknown, path: string, expected: string): readonly Finding[] {
  const seen = valueAt(body, path)
  return seen === undefined || seen === expected ? [] : [finding('payment', 'as it was ordered', 'it is another', path)]
}

function valueAt(body: unknown, path: string): unknown {
  let value = body
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null) return undefined
    value = (value as Record<string, unknown>)[name]
  }
  return value
}
