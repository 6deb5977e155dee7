/** What is wrong with one answer. */
import { mediaType } from '../body.ts'
import type { Exchange } from '../lfi/index.ts'
import type { SchemaRegistry } from '../schema-registry.ts'
import type { ProbeCall } from './calls.ts'
import { type Finding, finding, type OperationReport } from './report.ts'

export type Expected = { readonly statuses: readonly number[]; readonly withinMs: number | null }

/** The parsed body is handed back for what only the caller knows to look for. */
export function judge(
  registry: SchemaRegistry,
  call: ProbeCall,
  { attempt, lfiMs }: Exchange,
  expected: Expected,
): { readonly findings: readonly Finding[]; readonly body: unknown } {
  if (attempt.outcome !== 'answered') {
    return { findings: [finding('reachable', attempt.outcome, attempt.why)], body: undefined }
  }
  const findings: Finding[] = []
  if (!expected.statuses.includes(attempt.status)) {
    findings.push(finding('status', expected.statuses.join(' or '), `answered ${attempt.status}`))
  }
  if (expected.withinMs !== null && lfiMs > expected.withinMs) {
    findings.push(finding('timing', `within ${expected.withinMs} ms`, `took ${Math.round(lfiMs)} ms`))
  }
  if (call.isFile === true) return { findings, body: undefined }
  const schema = registry.response(call.document, call.operationId, attempt.status)
  if (schema === null) {
    if (attempt.body.length > 0 && attempt.status === 204)
      findings.push(finding('schema', 'no body', 'there is one', ''))
    return { findings, body: undefined }
  }
  if (mediaType(attempt.contentType) !== 'application/json') {
    findings.push(finding('content-type', 'application/json', attempt.contentType === '' ? 'none' : 'another'))
  }
  const body = parsed(attempt.body)
  if (body === undefined)
    return { findings: [...findings, finding('schema', 'json', 'the body is not JSON', '')], body }
  for (const { path, rule, message } of schema(body)) findings.push(finding('schema', rule, message, path))
  return { findings, body }
}

export const reportOf = (
  operation: string,
  { attempt, lfiMs }: Exchange,
  findings: readonly Finding[],
): OperationReport => ({
  operation,
  status: attempt.status,
  ms: Math.round(lfiMs),
  findings,
})

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}
