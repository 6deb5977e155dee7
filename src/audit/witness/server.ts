/**
 * A witness for anybody who has reason to watch a log: it cosigns a checkpoint only if that extends the one it cosigned
 * before, so a log that is witnessed cannot show two histories. C2SP tlog-witness, with cosignature/v1.
 */
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { AddressInfo } from 'node:net'
import { readBody } from '../../body.ts'
import { type Clock, epochSeconds } from '../../clock.ts'
import { HubError } from '../../errors.ts'
import type { Log } from '../../log.ts'
import { cosignText } from '../note/key.ts'
import { signatureLine } from '../note/note.ts'
import type { WitnessConfig } from './config.ts'
import { judge } from './judge.ts'
import { ADD_CHECKPOINT_BYTES_MAX, parseAddCheckpoint } from './request.ts'
import { openWitnessState } from './state.ts'

export type Witness = { readonly port: number; close(): Promise<void> }

const REQUEST_MS = 10_000
type Answer = { readonly status: number; readonly type: string; readonly body: string; readonly allow?: string }
const plain = (status: number, body: string): Answer => ({ status, type: 'text/plain; charset=utf-8', body })

export async function startWitness(
  config: WitnessConfig,
  deps: { readonly clock: Clock; readonly log: Log },
): Promise<Witness> {
  const { clock, log } = deps
  const state = await openWitnessState(config.stateFile)
  // One at a time: what is compared with the memory must still be the memory when it is replaced.
  let turn: Promise<unknown> = Promise.resolve()
  const addCheckpoint = async (body: Buffer): Promise<Answer> => {
    const request = parseAddCheckpoint(body)
    const judgement = judge(request, config.logs, state.seen)
    const line = { origin: request?.checkpoint.origin, size: request?.checkpoint.size, status: judgement.status }
    if (judgement.status !== 200 || request === null) {
      if (judgement.status === 200) throw new Error('a request that cannot be read is not cosigned')
      log.warn({ ...line, reason: judgement.reason }, 'not cosigned')
      if (judgement.status !== 409) return plain(judgement.status, `${judgement.reason}\n`)
      return { status: 409, type: 'text/x.tlog.size', body: `${judgement.size}\n` }
    }
    await state.keep(request.checkpoint.origin, judgement.keep)
    log.info(line, 'cosigned')
    return plain(200, signatureLine(cosignText(config.signer, request.note.text, epochSeconds(clock.now()))))
  }
  const answer = async (request: IncomingMessage): Promise<Answer> => {
    if (request.url !== '/add-checkpoint') return plain(404, 'not here\n')
    if (request.method !== 'POST') return { ...plain(405, 'POST only\n'), allow: 'POST' }
    const body = await readBody(request, ADD_CHECKPOINT_BYTES_MAX)
    const result = turn.then(() => addCheckpoint(body))
    turn = result.catch(() => undefined)
    return result
  }
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    void answer(request)
      .catch((thrown: unknown) => {
        if (thrown instanceof HubError) return plain(thrown.status, `${thrown.reason}\n`)
        log.error({ err: thrown }, 'a checkpoint could not be judged')
        return plain(500, 'the witness has failed\n')
      })
      .then(({ status, type, body, allow }) => {
        response.writeHead(status, { 'content-type': type, ...(allow === undefined ? {} : { allow }) })
        response.end(body)
      })
  }
  const limits = { requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS }
  const server =
    config.tls === null
      ? createHttp(limits, listener)
      : createHttps({ ...limits, cert: config.tls.certificate, key: config.tls.key }, listener)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(config.port, config.address, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeIdleConnections()
      await closed
      await turn
    },
  }
}
