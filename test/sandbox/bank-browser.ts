/** As much of a browser as the pages need: one cookie jar, forms, and no following of redirects. */
import { Agent, request } from 'undici'
import type { Rig } from './bank-rig.ts'

export type PageReply = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly location: string | null
  readonly text: string
}

export type Browser = {
  cookie: string | null
  setCookie: string
  get(path: string): Promise<PageReply>
  head(path: string): Promise<PageReply>
  /** Fields that the last page hid in its form are sent along unless overridden; `null` leaves one out. */
  post(path: string, fields: Readonly<Record<string, string | readonly string[] | null>>): Promise<PageReply>
  close(): Promise<void>
}

export function openBrowser(rig: Rig): Browser {
  const agent = new Agent({ connect: { ca: rig.ca } })
  let hidden: Readonly<Record<string, string>> = {}

  async function go(path: string, method: 'GET' | 'HEAD' | 'POST', body: string | null): Promise<PageReply> {
    const url = path.startsWith('/banks/') ? new URL(path, rig.bank.pagesUrl).href : `${rig.bank.pagesUrl}${path}`
    const answer = await request(url, {
      dispatcher: agent,
      method,
      body,
      headers: {
        ...(browser.cookie === null ? {} : { cookie: browser.cookie }),
        ...(body === null ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
      },
    })
    const text = await answer.body.text()
    const found = [...text.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/g)]
    if (found.length > 0) hidden = Object.fromEntries(found.map(([, name = '', value = '']) => [name, value]))
    const set = answer.headers['set-cookie']
    if (typeof set === 'string') {
      browser.setCookie = set
      browser.cookie = /Max-Age=0/.test(set) ? null : (set.split(';')[0] ?? null)
    }
    const { location } = answer.headers
    return {
      status: answer.statusCode,
      headers: answer.headers,
      location: typeof location === 'string' ? location : null,
      text,
    }
  }

  const browser: Browser = {
    cookie: null,
    setCookie: '',
    get: (path) => go(path, 'GET', null),
    head: (path) => go(path, 'HEAD', null),
    post(path, fields) {
      const body = new URLSearchParams()
      for (const [name, value] of Object.entries({ ...hidden, ...fields })) {
        for (const one of value === null ? [] : [value].flat()) body.append(name, one)
      }
      return go(path, 'POST', body.toString())
    },
    close: () => agent.close(),
  }
  return browser
}
