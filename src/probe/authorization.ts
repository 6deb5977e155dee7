/**
 * The bank's authorization page, with a request that the hub never made: the bank has to ask the hub, be told that it
 * is none, and show an error of its own. A redirect to the address of a stranger would be an open door (lfi-api 1.3.2).
 */
import { randomUUID } from 'node:crypto'
import { request } from 'node:https'
import { rootCertificates } from 'node:tls'
import type { TenantConfig } from '../config.ts'
import { TLS_PROFILE } from '../tls.ts'
import { finding, type OperationReport } from './report.ts'

export async function probeAuthorization({ authorizationEndpoint, lfi }: TenantConfig): Promise<OperationReport> {
  const operation = 'GET the authorization endpoint with a request that nobody made'
  const query = new URLSearchParams({
    client_id: randomUUID(),
    request_uri: `urn:ietf:params:oauth:request_uri:${randomUUID()}`,
    redirect_uri: 'https://stranger.example/callback',
    response_type: 'code',
    scope: 'openid accounts',
  })
  const startedAt = performance.now()
  const seen = await visit(`${authorizationEndpoint}?${query}`, lfi.ca, lfi.timeoutMs)
  const ms = Math.round(performance.now() - startedAt)
  if ('failed' in seen) return { operation, status: null, ms, findings: [finding('reachable', 'answers', seen.failed)] }
  const leadsAway =
    seen.location !== null && new URL(seen.location, authorizationEndpoint).hostname === 'stranger.example'
  return {
    operation,
    status: seen.status,
    ms,
    findings: [
      ...(seen.status >= 500 ? [finding('status', 'below 500', `answered ${seen.status}`)] : []),
      ...(leadsAway ? [finding('auth', 'no redirect to an address from the request', 'it redirects there')] : []),
    ],
  }
}

type Seen = { readonly status: number; readonly location: string | null } | { readonly failed: string }

function visit(url: string, ca: string, timeout: number): Promise<Seen> {
  return new Promise((resolve) => {
    // People come with a browser, which believes other authorities than the hub does.
    const sent = request(url, {
      ...TLS_PROFILE,
      agent: false,
      ca: [ca, ...rootCertificates],
      timeout,
      headers: { accept: 'text/html' },
    })
    sent.on('timeout', () => sent.destroy(new Error('no answer in time')))
    sent.on('error', (error: NodeJS.ErrnoException) => resolve({ failed: error.code ?? error.message }))
    sent.on('response', (response) => {
      response.resume()
      resolve({ status: response.statusCode ?? 0, location: response.headers.location ?? null })
    })
    sent.end()
  })
}
