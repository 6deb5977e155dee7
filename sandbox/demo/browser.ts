/** A browser without a screen: follows redirects, keeps cookies, sends forms. It stops where it is told to. */
import { Agent, fetch } from 'undici'
import { type Filling, type Form, fill, readForms } from './forms.ts'

export type Page = {
  readonly url: string
  readonly status: number
  readonly html: string
  readonly headers: ReadonlyMap<string, string>
  readonly forms: readonly Form[]
}
/** The redirect that leads out of what this browser is for; it was not followed. */
export type Exit = { readonly exit: URL }
export type Browser = {
  open(url: string): Promise<Page | Exit>
  submit(page: Page, form: Form, filling: Filling): Promise<Page | Exit>
  close(): Promise<void>
}
export type BrowserSettings = {
  readonly ca: string
  readonly exitAt?: (url: URL) => boolean
}

const HOPS_MAX = 12
type Cookie = { readonly host: string; readonly path: string; readonly name: string; readonly value: string }
type Go = { readonly method: string; readonly body: URLSearchParams | null; readonly from: string | null }

export function createBrowser(settings: BrowserSettings): Browser {
  const agent = new Agent({ connect: { ca: settings.ca }, connections: 4 })
  const cookies = new Map<string, Cookie>()

  const visit = async (url: URL, go: Go): Promise<Page | Exit> => {
    let [at, how] = [url, go]
    for (let hop = 0; hop < HOPS_MAX; hop += 1) {
      if (settings.exitAt?.(at) === true) return { exit: at }
      const response = await fetch(at, {
        method: how.method,
        headers: headersFor(at, how, cookies),
        body: how.body === null ? null : how.body.toString(),
        redirect: 'manual',
        dispatcher: agent,
      })
      for (const line of response.headers.getSetCookie()) keep(cookies, at, line)
      const location = response.headers.get('location')
      if (response.status < 300 || response.status > 399 || location === null) {
        const html = await response.text()
        const headers = new Map(response.headers)
        return { url: at.href, status: response.status, html, headers, forms: readForms(html) }
      }
      await response.body?.cancel()
      how = { method: 'GET', body: null, from: at.href }
      at = new URL(location, at)
    }
    throw new Error(`more than ${HOPS_MAX} redirects, the last one to ${at.origin}${at.pathname}`)
  }

  return {
    open: (url) => visit(new URL(url), { method: 'GET', body: null, from: null }),
    submit: (page, form, filling) => {
      const url = new URL(form.action === '' ? page.url : form.action, page.url)
      const sent = fill(form, filling)
      if (form.method === 'POST') return visit(url, { method: 'POST', body: sent, from: page.url })
      url.search = sent.toString()
      return visit(url, { method: 'GET', body: null, from: page.url })
    },
    close: () => agent.close(),
  }
}

function headersFor(url: URL, how: Go, cookies: ReadonlyMap<string, Cookie>): Record<string, string> {
  const mine = [...cookies.values()].filter((one) => one.host === url.hostname && under(url.pathname, one.path))
  return {
    accept: 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.5',
    'user-agent': 'falaj-demo',
    ...(mine.length === 0 ? {} : { cookie: mine.map((one) => `${one.name}=${one.value}`).join('; ') }),
    ...(how.body === null ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
    ...(how.method === 'POST' && how.from !== null ? { origin: new URL(how.from).origin } : {}),
  }
}

/** RFC 6265 as far as servers of the sandbox use it: name, value, Path, Max-Age, Expires. */
function keep(cookies: Map<string, Cookie>, url: URL, line: string): void {
  const [pair = '', ...rest] = line.split(';')
  const at = pair.indexOf('=')
  const [name, value] = [pair.slice(0, at).trim(), pair.slice(at + 1).trim()]
  const attributes = new Map(
    rest.map((one) => {
      const [key = '', ...inner] = one.split('=')
      return [key.trim().toLowerCase(), inner.join('=').trim()] as const
    }),
  )
  const path = attributes.get('path') ?? url.pathname.replace(/\/[^/]*$/, '')
  const key = `${url.hostname} ${path} ${name}`
  const expires = Date.parse(attributes.get('expires') ?? '')
  const gone = Number(attributes.get('max-age') ?? 1) <= 0 || expires < Date.now()
  if (gone) cookies.delete(key)
  else cookies.set(key, { host: url.hostname, path, name, value })
}

const under = (pathname: string, path: string): boolean =>
  path === '' || path === '/' || pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`)
