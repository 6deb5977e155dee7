/** Payments over the test world: consents of every schedule, signed requests, and a bank that keeps a ledger. */
import { createHash, randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { type Instant, iso, toInstant } from '../../../src/clock.ts'
import { sign, verify } from '../../../src/jose.ts'
import { localDateAt } from '../../../src/local-date.ts'
import type { Answering, Asked } from './outside.ts'
import type { Answer, Call } from './tpp.ts'
import type { World } from './world.ts'

export const PAY_BASE = '/open-finance/payment/v2.1'
export const PAY_TYPE = 'urn:openfinanceuae:service-initiation-consent:v2.1'

const part = (value: string) => Buffer.from(value).toString('base64url')
/** Well-formed from outside, as far as anybody but the bank can tell. */
export const JWE = [
  part(JSON.stringify({ alg: 'RSA-OAEP-256', enc: 'A256GCM', kid: 'bank-enc' })),
  part('key'),
  part('iv'),
  part('secret'),
  part('tag'),
].join('.')

export const aed = (Amount: string) => ({ Amount, Currency: 'AED' })
export const today = (now = Date.now()): string => localDateAt(toInstant(now))
export const FILE = Buffer.from('id,amount\n1,10.00\n2,15.50\n')
export const FILE_INSTRUCTION = {
  FileType: 'csv',
  FileHash: createHash('sha256').update(FILE).digest('base64'),
  NumberOfTransactions: 2,
  ControlSum: '25.50',
}

/** ControlParameters by name. */
export const schedules = (start = today()) => ({
  single: { ConsentSchedule: { SinglePayment: { Type: 'SingleInstantPayment', Amount: aed('100.00') } } },
  variableOnDemand: multi({
    Type: 'VariableOnDemand',
    PeriodType: 'Month',
    PeriodStartDate: start,
    Controls: {
      MaximumIndividualAmount: aed('50.00'),
      MaximumCumulativeValueOfPaymentsPerPeriod: aed('120.00'),
      MaximumCumulativeNumberOfPaymentsPerPeriod: 3,
    },
  }),
  fixedOnDemand: multi({
    Type: 'FixedOnDemand',
    PeriodType: 'Week',
    PeriodStartDate: start,
    Amount: aed('30.00'),
    Controls: { MaximumCumulativeNumberOfPaymentsPerPeriod: 2 },
  }),
  variablePeriodic: multi(
    {
      Type: 'VariablePeriodicSchedule',
      PeriodType: 'Month',
      PeriodStartDate: start,
      MaximumIndividualAmount: aed('50.00'),
    },
    { MaximumCumulativeNumberOfPayments: 12 },
  ),
  fixedPeriodic: multi(
    { Type: 'FixedPeriodicSchedule', PeriodType: 'Month', PeriodStartDate: start, Amount: aed('30.00') },
    { MaximumCumulativeNumberOfPayments: 12 },
  ),
  variableDefined: multi({
    Type: 'VariableDefinedSchedule',
    Schedule: [{ PaymentExecutionDate: start, MaximumIndividualAmount: aed('50.00') }],
  }),
  fixedDefined: multi({
    Type: 'FixedDefinedSchedule',
    Schedule: [{ PaymentExecutionDate: start, Amount: aed('30.00') }],
  }),
  delegated: { IsDelegatedAuthentication: true, ConsentSchedule: {} },
  file: { ConsentSchedule: { FilePayment: FILE_INSTRUCTION } },
})
const multi = (PeriodicSchedule: object, limits: object = {}) => ({
  ConsentSchedule: { MultiPayment: { ...limits, PeriodicSchedule } },
})

export type TestConsent = Awaited<ReturnType<World['consentOf']>>

export const paymentConsent = (
  world: World,
  ControlParameters: object,
  more: Parameters<World['consentOf']>[0] = {},
): Promise<TestConsent> =>
  world.consentOf({
    rarType: PAY_TYPE,
    permissions: ['ReadRefundAccount'],
    ...more,
    members: {
      ControlParameters,
      PersonalIdentifiableInformation: JWE,
      PaymentPurposeCode: 'ACM',
      DebtorReference: 'invoice 7',
      OpenFinanceBilling: undefined,
      ...more.members,
    },
  })

export const paymentOf = (consent: { readonly id: string }, amount: unknown = aed('100.00'), more: object = {}) => ({
  Data: {
    ConsentId: consent.id,
    Instruction: { Amount: amount },
    PersonalIdentifiableInformation: JWE,
    PaymentPurposeCode: 'ACM',
    DebtorReference: 'invoice 7',
    OpenFinanceBilling: { Type: 'PushP2P' },
    ...more,
  },
})
export const filePaymentOf = (
  consent: { readonly id: string },
  Instruction: object | undefined = FILE_INSTRUCTION,
) => ({
  Data: { ConsentId: consent.id, Instruction, PaymentPurposeCode: 'ACM' },
})

export function createPayer(world: World) {
  const { tenant, one } = world
  const seconds = () => Math.floor(Date.now() / 1000)
  const claims = (message: unknown): Record<string, unknown> => ({
    iss: one.clientId,
    aud: [tenant.listeners.auth.origin],
    iat: seconds(),
    nbf: seconds(),
    exp: seconds() + 300,
    message,
  })
  const token = (consent: TestConsent, changes: object = {}) =>
    world.userToken(consent, { scope: 'openid payments', ...changes })
  const clientToken = () => world.clientToken(one, { scope: 'openid payments' })
  const sendSigned = async (
    path: string,
    authorization: string,
    body: string,
    key: string,
    more: Partial<Call> = {},
  ): Promise<Answer> =>
    world.call({
      method: 'POST',
      path: PAY_BASE + path,
      body,
      ...more,
      headers: {
        authorization: `Bearer ${authorization}`,
        'content-type': 'application/jwt',
        'x-idempotency-key': key,
        ...more.headers,
      },
    })
  return {
    claims,
    token,
    clientToken,
    sendSigned,
    /** A payment as it should be asked for. */
    pay: async (
      consent: TestConsent,
      message: unknown = paymentOf(consent),
      { key = randomUUID().slice(0, 20), path = '/payments', ...more }: Partial<Call> & { key?: string } = {},
    ): Promise<Answer> => sendSigned(path, await token(consent), await sign(one.signing, claims(message)), key, more),
    get: async (path: string, headers: Call['headers'] = {}, as: string | null = null): Promise<Answer> =>
      world.call({
        path: PAY_BASE + path,
        headers: { authorization: `Bearer ${as ?? (await clientToken())}`, ...headers },
      }),
  }
}

/** What the hub signed, verified. */
export async function messageOf(world: World, answer: Answer): Promise<Record<string, unknown>> {
  const verified = await verify(answer.text, () => world.hubJwk)
  if (!verified.ok) throw new Error(`answered ${answer.status} without a good signature: ${verified.why}`)
  const { iss, aud, message } = verified.claims
  if (iss !== world.tenant.listeners.auth.origin) throw new Error('signed by another')
  if (!Array.isArray(aud) || aud[0] !== world.one.clientId) throw new Error('signed for another')
  return message as Record<string, unknown>
}

export async function refusal(world: World, answer: Answer): Promise<readonly [number, string | undefined, string?]> {
  const { Errors } = (await messageOf(world, answer)) as { Errors?: { Code: string; Path?: string }[] }
  const [first] = Errors ?? []
  return first?.Path === undefined ? [answer.status, first?.Code] : [answer.status, first.Code, first.Path]
}

type Order = {
  readonly paymentType: string
  readonly request: { readonly Data: Record<string, unknown> }
  readonly requestHeaders: Readonly<Record<string, string>>
}
export type Executed = { readonly id: string; readonly key: string; readonly order: Order; status: string; at: Instant }

/** Executes each idempotency key once, as a bank must (lfi-api 3.9.1). */
export function createBank() {
  const ledger: Executed[] = []
  const files = new Map<string, Buffer>()
  let orders = 0
  const recordOf = (payment: Executed, more: object = {}) => ({
    data: {
      id: payment.id,
      consentId: payment.order.request.Data['ConsentId'],
      status: payment.status,
      statusUpdateDateTime: iso(payment.at),
      creationDateTime: iso(payment.at),
      paymentPurposeCode: payment.order.request.Data['PaymentPurposeCode'],
      ...more,
    },
    meta: {},
  })
  const execute = (order: Order, status = 'AcceptedSettlementCompleted'): Executed => {
    orders += 1
    const key = String(order.requestHeaders['x-idempotency-key'])
    const known = ledger.find((each) => each.key === key && each.order.paymentType === order.paymentType)
    if (known !== undefined) return known
    const payment = { id: `pay-${randomUUID()}`, key, order, status, at: toInstant(Date.now()) }
    ledger.push(payment)
    return payment
  }
  const orderIn = async (asked: Asked): Promise<Order> => JSON.parse(asked.body) as Order
  const send = (response: ServerResponse, status: number, body: unknown) => {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(body))
  }
  const answer: Answering = async (asked, response) => {
    const path = asked.url.replace('/oc', '')
    if (asked.method === 'POST' && path === '/payments') {
      return send(response, 201, recordOf(execute(await orderIn(asked))))
    }
    if (asked.method === 'POST' && path.endsWith('/file')) {
      files.set(path, Buffer.from(asked.body))
      response.writeHead(204)
      return response.end()
    }
    const [, id, report] = /^\/payments\/([^/]+)(\/report-file)?$/.exec(path) ?? []
    const payment = ledger.find((each) => each.id === id)
    if (payment === undefined) return send(response, 404, { errorCode: 'X.Unknown', errorMessage: 'unknown' })
    if (report === undefined) return send(response, 200, recordOf(payment))
    response.writeHead(200, { 'content-type': 'text/csv' })
    response.end('id,status\n1,ok\n')
  }
  return { ledger, files, answer, execute, orderIn, recordOf, send, orders: () => orders }
}
