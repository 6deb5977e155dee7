/** Receipts of one call, for whom it concerns. Making one reads some tiles; nothing is signed for it. */
import type { Db } from '../../db.ts'
import type { ClientId, CorrelationId } from '../../ids.ts'
import type { AuditKind } from '../entry.ts'
import { bestCheckpoint, type PublishedCheckpoint, tileSource } from '../log-store.ts'
import { type Accepted, createAuditReader } from '../store.ts'
import { inclusionRanges, proofOf, remembered, type TileSource } from '../tree/proof.ts'
import { writeProof } from './proof-file.ts'

/** Each sees what concerns it: a TPP its own calls, the bank and the operator everything of this log. */
export type Audience = { readonly of: 'everything' } | { readonly of: 'client'; readonly clientId: ClientId }

export type Receipt = { readonly index: number; readonly kind: string; readonly proof: string }
export type Receipts = {
  readonly interactionId: CorrelationId
  /** Recorded, and not yet in a signed tree: ask again in two seconds. */
  readonly pending: number
  readonly receipts: readonly Receipt[]
}

export type ReceiptOffice = {
  /** null when nothing that concerns the asker is recorded under this id. */
  find(interactionId: CorrelationId, audience: Audience): Promise<Receipts | null>
}

/** What a TPP did or was told itself, also by a webhook; what the hub asked the bank for it is between those two. */
const OF_A_CLIENT: ReadonlySet<string> = new Set<AuditKind>([
  'tpp-call',
  'webhook-call',
  'authorization-step',
  'participant-changed',
])

export function createReceiptOffice({ db }: { readonly db: Db }): ReceiptOffice {
  const reader = createAuditReader({ db })
  return {
    find: async (interactionId, audience) => {
      const found = (await reader.findByInteraction(interactionId)).filter((each) => concerns(each, audience))
      if (found.length === 0) return null
      const placed = found.filter((each) => each.index !== null)
      const size = Math.max(0, ...placed.map(({ index }) => (index ?? 0) + 1))
      // One checkpoint for all of them, chosen before any tile is read: the tiles of now have what it needs.
      const checkpoint = placed.length === 0 ? null : await bestCheckpoint(db, size)
      const receipts = checkpoint === null ? [] : await receiptsOf(placed, checkpoint, remembered(tileSource(db)))
      return { interactionId, pending: found.length - receipts.length, receipts }
    },
  }
}

async function receiptsOf(
  placed: readonly Accepted[],
  { size, note }: PublishedCheckpoint,
  tiles: TileSource,
): Promise<readonly Receipt[]> {
  const receipts: Receipt[] = []
  for (const { index, entry, bytes, openings } of placed) {
    if (index === null || entry === null) continue
    const path = await proofOf(inclusionRanges(index, size), tiles)
    receipts.push({ index, kind: entry.kind, proof: writeProof({ index, path, bytes, openings, note }) })
  }
  return receipts
}

function concerns({ entry }: Accepted, audience: Audience): boolean {
  if (audience.of === 'everything') return true
  return entry !== null && OF_A_CLIENT.has(entry.kind) && entry['clientId'] === audience.clientId
}
