/** Revocation lists over HTTP: whole, bounded, from the place that was named and no other. */
import { Agent, request } from 'undici'
import type { RevocationConfig, TrustFrameworkConfig } from '../config.ts'
import { createFetchGuard } from '../fetch-guard.ts'
import { TLS_PROFILE } from '../tls.ts'

export type ListReader = { fetch(url: string, bytesMax: number): Promise<Buffer>; close(): Promise<void> }

/** The operator's own places are connected to wherever they are; those that certificates name have to be public. */
export function createListReader(
  { serverCa, timeoutMs }: Pick<TrustFrameworkConfig, 'serverCa' | 'timeoutMs'>,
  { crlUrls }: RevocationConfig,
  allowedAddresses: readonly string[],
): ListReader {
  const tls = { ...TLS_PROFILE, timeout: timeoutMs, ...(serverCa === null ? {} : { ca: serverCa }) }
  const limits = { connections: 1, headersTimeout: timeoutMs, bodyTimeout: timeoutMs }
  const own = new Agent({ ...limits, connect: tls })
  const guard = createFetchGuard(allowedAddresses, undefined, ['http:', 'https:'])
  const guarded = new Agent({ ...limits, connect: guard(tls) })
  return {
    fetch: async (url, bytesMax) => {
      const { statusCode, body } = await request(url, {
        dispatcher: crlUrls.includes(url) ? own : guarded,
        signal: AbortSignal.timeout(timeoutMs),
      })
      const chunks: Buffer[] = []
      let size = 0
      for await (const chunk of body as AsyncIterable<Buffer>) {
        size += chunk.length
        if (size > bytesMax) throw new Error('the list is too large')
        chunks.push(chunk)
      }
      // A redirect is not followed: it is another place.
      if (statusCode !== 200) throw new Error(`the source answered ${statusCode}`)
      return Buffer.concat(chunks, size)
    },
    close: async () => {
      await own.destroy()
      await guarded.destroy()
    },
  }
}
