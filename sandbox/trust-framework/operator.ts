/** The directory operator's acts, for the command line and for tests. */
import { request } from 'node:https'
import { text } from 'node:stream/consumers'
import { clientTls, type KeyFiles } from '../tls.ts'
import type { OrganisationStatus, SoftwareStatus } from './register.ts'

export type Operator = {
  /** The directory's API listener. */
  readonly apiUrl: string
  readonly caFile: string
  readonly client: KeyFiles
}

export const revokeCertificate = (operator: Operator, kid: string): Promise<void> =>
  act(operator, ['certificates', kid, 'revoke'])

export const setSoftwareStatus = (operator: Operator, id: string, status: SoftwareStatus): Promise<void> =>
  act(operator, ['softwarestatements', id, 'status'], { Status: status })

export const setOrganisationStatus = (operator: Operator, id: string, status: OrganisationStatus): Promise<void> =>
  act(operator, ['organisations', id, 'status'], { Status: status })

const TIMEOUT_MS = 5_000

async function act(operator: Operator, path: readonly string[], body: object = {}): Promise<void> {
  const url = `${operator.apiUrl}/operator/${path.map(encodeURIComponent).join('/')}`
  const { status, answer } = await new Promise<{ status: number; answer: string }>((resolve, reject) => {
    const sent = request(
      url,
      {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        agent: false,
        signal: AbortSignal.timeout(TIMEOUT_MS),
        ...clientTls(operator.caFile, operator.client),
      },
      (response) => text(response).then((answer) => resolve({ status: response.statusCode ?? 0, answer }), reject),
    )
    sent.on('error', reject)
    sent.end(JSON.stringify(body))
  })
  if (status !== 200) throw new Error(`the directory refused ${path.join('/')} (${status}): ${answer}`)
}
