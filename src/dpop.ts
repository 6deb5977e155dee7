/**
 * DPoP (RFC 9449) at the doors that take access tokens: proof, nonce and single use, together. The nonces come from a
 * secret of the tenant and from the time, so every node knows them without asking; the single use of a proof is
 * settled by the tenant's database, on whichever node it arrives first.
 */
import { createHash, hkdfSync, timingSafeEqual } from 'node:crypto'
import { type Clock, epochSeconds } from './clock.ts'
import { type Db, query } from './db.ts'
import { judgeProof, PROOF_AGE_MAX_SECONDS } from './dpop-proof.ts'

export type Presented = {
  /** The DPoP header; undefined when there is none. */
  readonly header: string | undefined
  readonly method: string
  readonly url: string
  readonly accessTokenHash: string
  /** The key that the access token is bound to. */
  readonly jkt: string
}
/** RFC 9449 7.1, 9: as they go into `WWW-Authenticate`. */
export type DpopError = 'invalid_token' | 'invalid_dpop_proof' | 'use_dpop_nonce'
export type Shown = { readonly ok: true } | { readonly ok: false; readonly error: DpopError; readonly why: string }

export type Dpop = {
  /** For the engine, which makes and takes nonces by itself. */
  readonly nonceSecret: Buffer
  /** What the next proof has to hold; goes out as `DPoP-Nonce`. */
  nonce(): string
  check(presented: Presented): Promise<Shown>
  /** Forgets proofs that would be refused for their age; returns how many. */
  purge(): Promise<number>
}

const STEP_SECONDS = 60
/** Relative to the present one. Given out is the next one, so that it is good for four whole steps at least. */
const STEP_GIVEN = 1
/** One more ahead, for a node whose clock is a little early. */
const STEPS_ACCEPTED = [1, 0, -1, -2, -3, 2] as const

/** @throws Error when the tenant's database holds no secret */
export async function openDpop(deps: { readonly db: Db; readonly clock: Clock }): Promise<Dpop> {
  const { db, clock } = deps
  const row = await db('tenant_secret').where({ name: 'dpop-nonce' }).first<{ value: Buffer }>('value')
  if (row === undefined) throw new Error('the DPoP nonce secret is missing from tenant_secret')
  const nonces = createNonces(row.value, clock)
  return {
    nonceSecret: row.value,
    nonce: nonces.current,
    check: async (presented) => {
      const nowSeconds = epochSeconds(clock.now())
      if (presented.header === undefined) return refused('invalid_dpop_proof', 'a DPoP proof is required')
      const judged = judgeProof(presented.header, { ...presented, nowSeconds })
      if (!judged.ok) return refused('invalid_dpop_proof', judged.why)
      const { proof } = judged
      if (proof.jkt !== presented.jkt) return refused('invalid_token', 'the access token is bound to another key')
      if (proof.nonce === null) return refused('use_dpop_nonce', 'the proof must hold the nonce in DPoP-Nonce')
      if (!nonces.accepts(proof.nonce)) return refused('use_dpop_nonce', 'the nonce of the proof is not current')
      const goodUntil = proof.issuedAtSeconds + PROOF_AGE_MAX_SECONDS + 1
      const isFirst = await useOnce(db, `${proof.jkt} ${proof.jti}`, new Date(goodUntil * 1000))
      return isFirst ? { ok: true } : refused('invalid_dpop_proof', 'the proof was used before')
    },
    purge: async () => {
      const removed = await query(db, 'delete from dpop_proof where expires_at < ?', [new Date(clock.now())])
      return removed.rowCount
    },
  }
}

const refused = (error: DpopError, why: string): Shown => ({ ok: false, error, why })

/** The insert decides: of two nodes that see the same proof at once, one inserts. */
async function useOnce(db: Db, use: string, expiresAt: Date): Promise<boolean> {
  const id = createHash('sha256').update(use).digest()
  const inserted = await query(
    db,
    'insert into dpop_proof (id, expires_at) values (?, ?) on conflict (id) do nothing',
    [id, expiresAt],
  )
  return inserted.rowCount === 1
}

/**
 * Worked out as the engine works out its own from the same secret, so that one nonce is good at every door: a client
 * keeps them by origin, and /userinfo is at the engine's. Should the two ever differ, a client asks once more.
 */
function createNonces(secret: Buffer, clock: Clock) {
  const step = (): number => Math.floor(epochSeconds(clock.now()) / STEP_SECONDS)
  const of = (each: number): string => {
    const salt = Buffer.alloc(8)
    salt.writeBigUInt64BE(BigInt(each))
    return Buffer.from(hkdfSync('sha256', secret, salt, 'DPoP', 32)).toString('base64url')
  }
  return {
    current: (): string => of(step() + STEP_GIVEN),
    accepts: (nonce: string): boolean => {
      const given = createHash('sha256').update(nonce).digest()
      const now = step()
      return STEPS_ACCEPTED.some((offset) =>
        timingSafeEqual(
          createHash('sha256')
            .update(of(now + offset))
            .digest(),
          given,
        ),
      )
    },
  }
}
