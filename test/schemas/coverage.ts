/** What becomes of every operation that is published: compared with a document of ours, or left to others, and why. */
import { globSync } from 'node:fs'
import { operationsOf } from './facts.ts'
import { PAIRS, PUBLISHED_FOLDER, readOurs, readPublished } from './published.ts'

/** `where` is matched against `file METHOD path`. */
export const NOT_OURS: readonly { readonly where: RegExp; readonly reason: string }[] = [
  {
    where: /^standards\/uae-insurance-openapi.yaml \S+ \/[a-z]+-insurance-(?:policies|quotes)/,
    reason: 'Insurance policies and quotes come from insurers; what the hub keeps is the consents for them.',
  },
  {
    where: /^ozone-connect\/uae-ozone-connect-insurance-openapi.yaml /,
    reason: 'The side of the insurer of the same operations.',
  },
  {
    where: /^ozone-connect\/uae-ozone-connect-caap-operations-openapi.yaml /,
    reason:
      'For an LFI that leaves authorization to one app of the whole ecosystem; here each LFI authorizes by itself (lfi-api 5.4).',
  },
  {
    where: /^standards\/uae-authorization-endpoints-openapi.yaml POST \/(?:par|token) /,
    reason:
      'Endpoints of OAuth, tested by its standards (test/conformance); what is particular in them, the rich authorization requests, is compared as rar.',
  },
  {
    where: /^api-hub\/uae-api-hub-consent-manager-openapi.yaml POST \/consents /,
    reason: 'Only the hub itself stores consents, at the pushed authorization request.',
  },
]

export type Verdict = { readonly operation: string; readonly verdict: 'compared' | 'not ours' | 'unmapped' }

export function coverage(): readonly Verdict[] {
  const compared = new Set(
    Object.values(PAIRS).flatMap(({ ours, published }) =>
      operationsOf(readOurs(ours)).map(({ title }) => `${published} ${title} `),
    ),
  )
  return globSync('*/*.yaml', { cwd: PUBLISHED_FOLDER })
    .sort()
    .flatMap((file) => operationsOf(readPublished(file)).map(({ title }) => `${file} ${title} `))
    .map((operation) => {
      if (compared.has(operation)) return { operation, verdict: 'compared' }
      return { operation, verdict: NOT_OURS.some(({ where }) => where.test(operation)) ? 'not ours' : 'unmapped' }
    })
}
