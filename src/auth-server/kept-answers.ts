/**
 * Answers that may be asked for again: those to the exchange of a code and to the end of a journey, which can only be
 * had once. Each is written with what it tells of, and goes as soon as it has left the hub; the caller that never got
 * it repeats its request, and gets the same answer instead of a refusal. Nothing is granted twice.
 *
 * It is encrypted with a key made of what the caller shows again, so that the database alone reveals nothing.
 */
import { createCipheriv, createDecipheriv, createPrivateKey, hkdfSync, randomBytes } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../clock.ts'
import type { Db } from '../db.ts'
import type { Log } from '../log.ts'
import type { Secret } from '../secret.ts'
import { findRow, KEPT_ANSWER, removeRow } from './engine-records.ts'
import type { Unit } from './unit-of-work.ts'

export type AnswerKey = {
  /** What only the caller has, or the caller and the hub's configuration. */
  readonly secret: string
  /** Whose answer it is, to what. Whoever says anything else of this cannot read it. */
  readonly about: readonly string[]
}
export type KeptAnswers = {
  /** Written with the unit, and gone when `response` has left. Ends with the grant, if it tells of one. */
  keep(unit: Unit, response: ServerResponse, key: AnswerKey, kept: KeptAnswer): Promise<void>
  /**
   * For `response` to be answered with. null: it has left the hub, or there was none, or it is not the caller's. Waits
   * for one that is on its way.
   */
  again(response: ServerResponse, key: AnswerKey): Promise<unknown>
}
export type KeptAnswer = { readonly answer: unknown; readonly grantId: string | null }

export const ANSWER_KEPT_SECONDS = 60
/**
 * By then an answer on its way has left, so one that is still there is lost. Who comes earlier may be a second request
 * beside the first, which must not get what the first one gets.
 */
const ON_ITS_WAY_MS = 1_000
const LOOK_EVERY_MS = 50

export function createKeptAnswers(deps: { readonly db: Db; readonly clock: Clock; readonly log: Log }): KeptAnswers {
  const { db, clock } = deps
  const releaseWith = (response: ServerResponse, key: AnswerKey): void => {
    // Not on `close`: that is also how a caller goes away without its answer.
    response.once('finish', () => {
      if (response.statusCode >= 400) return
      removeRow(db, KEPT_ANSWER, idOf(key)).catch((error: unknown) => {
        deps.log.warn({ err: error }, 'an answer that was handed over is kept until it runs out')
      })
    })
  }
  const find = async (key: AnswerKey): Promise<unknown> => {
    for (let waitedMs = 0; ; waitedMs += LOOK_EVERY_MS) {
      const row = await findRow(db, KEPT_ANSWER, idOf(key))
      if (row === null || row.expiresAt.getTime() <= clock.now()) return null
      const { iat, box } = row.payload as { readonly iat: number; readonly box: string }
      const answer = open(key, box)
      if (answer === null || Math.max(waitedMs, clock.now() - iat) >= ON_ITS_WAY_MS) return answer
      await sleep(LOOK_EVERY_MS)
    }
  }
  return {
    keep: async (unit, response, key, { answer, grantId }) => {
      const at = clock.now()
      await unit.put({
        model: KEPT_ANSWER,
        id: idOf(key),
        payload: { iat: at, box: seal(key, answer) },
        grantId,
        expiresAt: new Date(at + ANSWER_KEPT_SECONDS * 1000),
        consumedAt: null,
      })
      releaseWith(response, key)
    },
    again: async (response, key) => {
      const answer = await find(key)
      if (answer !== null) releaseWith(response, key)
      return answer
    },
  }
}

/**
 * For answers to a caller whose own secrets the database holds: something that every node has and the database has not.
 * The audit key is the one such thing of every tenant that does not change; nothing of it can be told from what is
 * derived here.
 */
export const answerSecret = (auditKey: Secret<string>): string =>
  createPrivateKey(auditKey.reveal()).export({ format: 'jwk' }).d ?? ''

const derive = ({ secret }: AnswerKey, purpose: readonly string[]): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, 'falaj kept answer', JSON.stringify(purpose), 32))
/** By the secret alone: there is one answer to it, whoever asks. */
const idOf = (key: AnswerKey): string => derive(key, ['id']).toString('base64url')
const keyOf = (key: AnswerKey): Buffer => derive(key, ['key', ...key.about])

const IV_BYTES = 12
const TAG_BYTES = 16

function seal(key: AnswerKey, answer: unknown): string {
  const iv = randomBytes(IV_BYTES)
  const cipher = createCipheriv('aes-256-gcm', keyOf(key), iv)
  const sealed = [cipher.update(JSON.stringify(answer)), cipher.final()]
  return Buffer.concat([iv, cipher.getAuthTag(), ...sealed]).toString('base64')
}

/** null: the key is another one. */
function open(key: AnswerKey, box: string): unknown {
  const bytes = Buffer.from(box, 'base64')
  const tagEnd = IV_BYTES + TAG_BYTES
  const decipher = createDecipheriv('aes-256-gcm', keyOf(key), bytes.subarray(0, IV_BYTES), {
    authTagLength: TAG_BYTES,
  })
  decipher.setAuthTag(bytes.subarray(IV_BYTES, tagEnd))
  try {
    return JSON.parse(Buffer.concat([decipher.update(bytes.subarray(tagEnd)), decipher.final()]).toString('utf8'))
  } catch {
    return null
  }
}
