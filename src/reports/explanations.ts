/** Why a call was refused, as its audit entry tells (src/refusals.ts); found by the interaction id of its answer. */
import type { Accepted, AuditReader } from '../audit/index.ts'
import type { CorrelationId } from '../ids.ts'
import { clauseOf } from '../refusals.ts'

export type Explanation = {
  readonly InteractionId: string
  readonly DateTime: string
  readonly Door: string
  readonly HttpMethod: string
  readonly Url: string | null
  readonly Status: number
  readonly Code: string | null
  readonly Rule: string | null
  readonly Clause: string
  readonly Expected: string | null
  readonly Seen: string | null
  readonly Path: string | null
}

export type Explanations = {
  /** The refusals of one organisation's calls; those of others are as if they were not. */
  ofTpp(id: CorrelationId, organisationId: string): Promise<readonly Explanation[]>
  ofAnybody(id: CorrelationId): Promise<readonly Explanation[]>
}

export function createExplanations(reader: AuditReader): Explanations {
  const find = async (id: CorrelationId, isMeant: (accepted: Accepted) => boolean) =>
    (await reader.findByInteraction(id)).filter(isMeant).flatMap(explanationOf)
  return {
    ofTpp: (id, organisationId) =>
      find(id, ({ entry }) => entry?.kind === 'tpp-call' && entry['organisationId'] === organisationId),
    ofAnybody: (id) => find(id, ({ entry }) => entry?.kind === 'tpp-call' || entry?.kind === 'lfi-request'),
  }
}

/** Only what the hub itself decided: an LFI's refusal has neither a rule nor an expectation of ours. */
function explanationOf({ entry }: Accepted): readonly Explanation[] {
  if (entry === null) return []
  const [status, rule, expected] = [entry['status'], text(entry['rule']), text(entry['expected'])]
  if (typeof status !== 'number' || status < 400 || status > 498 || (rule === null && expected === null)) return []
  const [door, code] = [text(entry['surface']) ?? '', text(entry['errorCode'])]
  return [
    {
      InteractionId: entry.interactionId ?? '',
      DateTime: entry.at,
      Door: door,
      HttpMethod: text(entry['method']) ?? '',
      Url: text(entry['route']),
      Status: status,
      Code: code,
      Rule: rule,
      Clause: clauseOf(door, rule, code),
      Expected: expected,
      Seen: text(entry['seen']),
      Path: text(entry['path']),
    },
  ]
}

const text = (value: unknown): string | null => (typeof value === 'string' ? value : null)
