/** A browser without a screen: cookies by origin, forms as they are on the page, redirects one at a time or all. */
import { once } from 'node:events'
import { request } from 'node:https'
import { text } from 'node:stream/consumers'

export type Seen = {
  readonly status: number
  /** Where this answer came from. */
  readonly address: string
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: string
}
export type Asking = {
  readonly method?: string
  readonly form?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
}

export type Visitor = {
  readonly cookies: Map<string, string>
  /** One request, no redirect followed. */
  ask(address: string, asking?: Asking): Promise<Seen>
  /** On until there is a page. */
  go(address: string, asking?: Asking): Promise<Seen>
  /** From the portal's login page through the trust framework, to whatever page that ends at. */
  logIn(portal: string, person: { readonly username: string; readonly password: string }, back?: string): Promise<Seen>
  /** As far as the way back from the trust framework, which is not walked. */
  walkToReturn(portal: string, person: { readonly username: string; readonly password: string }): Promise<string>
  /** The same from an address of the provider, as far as `until`. */
  walkFrom(
    address: string,
    until: string,
    person: { readonly username: string; readonly password: string },
  ): Promise<string>
  /** Sends a form of this page, with what it holds and what is given. */
  send(page: Seen, action: string, given?: Readonly<Record<string, string>>): Promise<Seen>
}

const REDIRECTS_MAX = 12

export function createVisitor(ca: string): Visitor {
  const cookies = new Map<string, string>()

  async function ask(address: string, { method = 'GET', form, headers = {} }: Asking = {}): Promise<Seen> {
    const { origin } = new URL(address)
    const held = [...cookies].filter(([key]) => key.startsWith(`${origin} `))
    const cookie = held.map(([key, value]) => `${key.slice(origin.length + 1)}=${value}`).join('; ')
    const sent = request(address, {
      method: form === undefined ? method : 'POST',
      agent: false,
      ca,
      headers: {
        ...(cookie === '' ? {} : { cookie }),
        ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded', origin }),
        ...headers,
      },
    })
    sent.end(form === undefined ? undefined : new URLSearchParams(form).toString())
    const [response] = await once(sent, 'response')
    const body = await text(response)
    for (const line of (response.headers['set-cookie'] ?? []) as readonly string[]) keep(origin, line)
    return { status: response.statusCode as number, address, headers: response.headers, body }
  }

  function keep(origin: string, line: string): void {
    const [pair = '', ...attributes] = line.split(';').map((each) => each.trim())
    const at = pair.indexOf('=')
    const isGone = attributes.some((each) => /^max-age=0$/i.test(each) || /^expires=thu, 01 jan 1970/i.test(each))
    const key = `${origin} ${pair.slice(0, at)}`
    if (isGone) cookies.delete(key)
    else cookies.set(key, pair.slice(at + 1))
  }

  async function go(address: string, asking?: Asking, isOver: (next: string) => boolean = () => false): Promise<Seen> {
    let seen = await ask(address, asking)
    for (let turn = 0; turn < REDIRECTS_MAX; turn += 1) {
      const next = String(seen.headers['location'] ?? '')
      if (next === '') return seen
      const whole = new URL(next, seen.address).href
      if (isOver(whole)) return { ...seen, address: whole }
      seen = await ask(whole)
    }
    throw new Error(`no end of redirects after ${address}`)
  }

  type Known = { readonly username: string; readonly password: string }
  async function logIn(from: string, person: Known, isOver?: (next: string) => boolean): Promise<Seen> {
    const { username, password } = person
    const page = await go(from)
    const action = /<form method="post" action="([^"]+)"/.exec(page.body)?.[1]
    if (action === undefined) throw new Error(`no login at ${page.address}: ${page.status}`)
    return go(new URL(action, page.address).href, { form: { username, password } }, isOver)
  }

  const walkFrom: Visitor['walkFrom'] = async (address, until, person) =>
    (await logIn(address, person, (next) => next.startsWith(until))).address

  return {
    cookies,
    ask,
    go: (address, asking) => go(address, asking),
    logIn: (portal, person, back = '/') => logIn(`${portal}/login/begin?back=${encodeURIComponent(back)}`, person),
    walkToReturn: (portal, person) => walkFrom(`${portal}/login/begin`, `${portal}/login/callback`, person),
    walkFrom,
    send: (page, action, given = {}) =>
      go(new URL(action, page.address).href, { form: { ...fieldsOf(page.body, action), ...given } }),
  }
}

/** What the first form with this action holds. */
function fieldsOf(body: string, action: string): Readonly<Record<string, string>> {
  const form = body.split('<form').find((each) => each.includes(`action="${action}"`)) ?? ''
  const inputs = form.split('</form>', 1)[0]?.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g) ?? []
  return Object.fromEntries([...inputs].map(([, name = '', value = '']) => [name, value.replaceAll('&amp;', '&')]))
}
