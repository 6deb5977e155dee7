/** Reachability, TLS and mutual TLS, and the three connection checks (lfi-api 4.4). */
import { request } from 'node:https'
import type { TLSSocket } from 'node:tls'
import type { TenantConfig } from '../config.ts'
import type { SchemaRegistry } from '../schema-registry.ts'
import { TLS_PROFILE } from '../tls.ts'
import { type Finding, finding, type OperationReport } from './report.ts'

type Deps = { readonly tenant: TenantConfig; readonly registry: SchemaRegistry }
type Seen = { readonly status: number; readonly body: Buffer; readonly protocol: string } | { readonly failed: string }

const CHECKS = [
  { path: '/hello', operationId: 'hello', mtls: ['established', 'not-established', 'not-checked'] },
  { path: '/hello-mtls', operationId: 'helloMtls', mtls: ['established'] },
  { path: '/echo-cert', operationId: 'echoCert', mtls: ['established'] },
] as const

export async function probeConnection(deps: Deps): Promise<readonly OperationReport[]> {
  const reports: OperationReport[] = []
  for (const check of CHECKS) reports.push(await probeHello(deps, check))
  reports.push(await probeWithoutCertificate(deps))
  return reports
}

async function probeHello({ tenant, registry }: Deps, check: (typeof CHECKS)[number]): Promise<OperationReport> {
  const startedAt = performance.now()
  const seen = await get(tenant, check.path, true)
  const ms = Math.round(performance.now() - startedAt)
  const operation = `GET ${check.path}`
  if ('failed' in seen) return { operation, status: null, ms, findings: [finding('reachable', 'answers', seen.failed)] }
  const findings: Finding[] = []
  if (seen.status !== 200) findings.push(finding('status', '200', `answered ${seen.status}`))
  if (seen.protocol < 'TLSv1.2') findings.push(finding('tls', 'TLS 1.2 or 1.3', `negotiated ${seen.protocol}`))
  const body = parsed(seen.body)
  const documented = registry.operations('health-check').find(({ path }) => path === check.path)
  const schema = documented && registry.response('health-check', documented.operationId, seen.status)
  for (const { path, rule, message } of schema?.(body) ?? []) findings.push(finding('schema', rule, message, path))
  const { mtlsStatus } = (typeof body === 'object' && body !== null ? body : {}) as { readonly mtlsStatus?: unknown }
  if (findings.length === 0 && !(check.mtls as readonly unknown[]).includes(mtlsStatus)) {
    findings.push(finding('tls', `mtlsStatus ${check.mtls.join(' or ')}`, 'another', 'mtlsStatus'))
  }
  return { operation, status: seen.status, ms, findings }
}

/** Refused in the handshake or with 401 or 403; an answer to whoever comes is the worst finding that there is. */
async function probeWithoutCertificate({ tenant }: Deps): Promise<OperationReport> {
  const seen = await get(tenant, '/hello-mtls', false)
  const operation = 'GET /hello-mtls without a client certificate'
  if ('failed' in seen) return { operation, status: null, ms: null, findings: [] }
  const isRefused = seen.status === 401 || seen.status === 403
  return {
    operation,
    status: seen.status,
    ms: null,
    findings: isRefused ? [] : [finding('tls', 'refused', `answered ${seen.status}`)],
  }
}

function get({ lfi }: TenantConfig, path: string, withCertificate: boolean): Promise<Seen> {
  return new Promise((resolve) => {
    const sent = request(`${lfi.ozoneConnectUrl}${path}`, {
      ...TLS_PROFILE,
      agent: false,
      ca: lfi.ca,
      ...(withCertificate ? { cert: lfi.certificate, key: lfi.key.reveal() } : {}),
      headers: { accept: 'application/json' },
      timeout: lfi.timeoutMs,
    })
    sent.on('timeout', () => sent.destroy(new Error('no answer in time')))
    sent.on('error', (error: NodeJS.ErrnoException) => resolve({ failed: error.code ?? error.message }))
    sent.on('response', (response) => {
      const protocol = (response.socket as TLSSocket).getProtocol() ?? 'none'
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        if (chunks.length > 1_000) response.destroy()
      })
      response.on('close', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks), protocol }))
    })
    sent.end()
  })
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}
