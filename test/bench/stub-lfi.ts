/** The bank of the benchmark: Ozone Connect over mutual TLS, accounts made beforehand, and payments that cost nothing. */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'

type StubSettings = { readonly port: number; readonly cert: string; readonly key: string; readonly ca: string }

const settings = JSON.parse(process.argv[2] ?? '{}') as StubSettings
const answers = new Map<string, Buffer>()

/** The same bytes for the same account ids, whoever asks. */
function answerTo(accountIds: string): Buffer {
  const known = answers.get(accountIds)
  if (known !== undefined) return known
  const data = accountIds.split(',').map((id, index) => ({
    id,
    accountNumbers: [
      { schemeName: 'IBAN', identification: `AE07033123456789${String(index).padStart(7, '0')}`, name: 'A. Customer' },
    ],
    nickName: 'Every day',
    description: 'Current account',
    accountHolderName: 'Aisha Customer',
    accountHolderShortName: 'A Customer',
    status: 'Active',
    statusUpdateDateTime: '2026-01-02T03:04:05+04:00',
    currency: 'AED',
    accountType: 'Retail',
    accountSubType: 'CurrentAccount',
    openingDate: '2020-01-02T03:04:05+04:00',
    servicer: { schemeName: 'BICFI', identification: 'AURAAEADXXX' },
    isShariaCompliant: false,
  }))
  const body = Buffer.from(JSON.stringify({ data, meta: { totalPages: 1, totalRecords: data.length } }))
  answers.set(accountIds, body)
  return body
}

function pay(request: IncomingMessage, response: ServerResponse): void {
  request.resume()
  request.on('end', () => {
    const at = new Date().toISOString()
    const data = {
      id: `pay-${randomUUID()}`,
      status: 'AcceptedSettlementCompleted',
      statusUpdateDateTime: at,
      creationDateTime: at,
      paymentPurposeCode: 'ACM',
    }
    response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify({ data, meta: {} }))
  })
}

createServer(
  {
    cert: readFileSync(settings.cert),
    key: readFileSync(settings.key),
    ca: readFileSync(settings.ca),
    requestCert: true,
    rejectUnauthorized: true,
    keepAliveTimeout: 60_000,
  },
  (request, response) => {
    if (request.method === 'POST') return pay(request, response)
    const url = new URL(request.url ?? '/', 'https://stub')
    const body = answerTo(url.searchParams.get('accountIds') ?? 'none')
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length })
    response.end(body)
  },
).listen(settings.port, '127.0.0.1', () => process.send?.('ready'))
process.once('disconnect', () => process.exit(0))
