/** Static pages that the edge serves itself: read once, so that nothing but them can be asked for. */
import { readdirSync, readFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { extname, join } from 'node:path'

export type PagesSettings = {
  /** A path without a slash at its end. */
  readonly prefix: string
  readonly folder: string
}
export type StaticPages = {
  /** False where the path is none of theirs. */
  answer(method: string | undefined, path: string, response: ServerResponse): boolean
}

type Page = { readonly type: string; readonly content: Buffer }

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
}

export function readPages({ prefix, folder }: PagesSettings): StaticPages {
  const files = new Map<string, Page>(
    readdirSync(folder).flatMap((name) => {
      const type = TYPES[extname(name)]
      return type === undefined
        ? []
        : [[`${prefix}/${name}`, { type, content: readFileSync(join(folder, name)) }] as const]
    }),
  )
  return {
    answer: (method, path, response) => {
      // Links on the pages are relative: without the slash they would lead elsewhere.
      if (path === prefix) {
        response.writeHead(308, { location: `${prefix}/`, 'content-length': 0 }).end()
        return true
      }
      const file = files.get(path === `${prefix}/` ? `${prefix}/index.html` : path)
      if (file === undefined || (method !== 'GET' && method !== 'HEAD')) return false
      response.writeHead(200, {
        'content-type': file.type,
        'content-length': file.content.length,
        'content-security-policy': "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-cache',
      })
      response.end(method === 'HEAD' ? undefined : file.content)
      return true
    },
  }
}
