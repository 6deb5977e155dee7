/** The headers of a TPP's request that stay with what it asked for. */
import type { IncomingHttpHeaders } from 'node:http'

/** Credentials, and what identifies a browser session. */
const DROPPED = new Set(['authorization', 'cookie', 'dpop', 'proxy-authorization'])

export const keptHeaders = (headers: IncomingHttpHeaders): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      DROPPED.has(name) || value === undefined ? [] : [[name, String(value)]],
    ),
  )
