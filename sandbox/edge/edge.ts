/** The one origin browsers see: forwards by path prefix to the sandbox's web applications. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Agent, createServer } from 'node:https'
import { type AddressInfo, isIP } from 'node:net'
import httpProxy from 'http-proxy'
import { ALLOW, pathOf, type Refused, refusalOf } from './admission.ts'
import { dropHopByHop, markForwarded } from './headers.ts'
import { type PagesSettings, readPages, type StaticPages } from './pages.ts'

export type EdgeRoute = {
  /** `/`, or a path without a slash at its end; it matches whole segments and the longest wins. */
  readonly prefix: string
  /** Origin, https only. */
  readonly target: string
}

export type EdgeSettings = {
  readonly port: number
  /** Default 127.0.0.1. */
  readonly address?: string
  /** PEM texts: the edge's certificate chain and key, and the authorities of its targets. */
  readonly cert: string
  readonly key: string
  readonly ca: string
  readonly routes: readonly EdgeRoute[]
  /** Pages without an application; they go before any route. */
  readonly pages?: readonly PagesSettings[]
  /** How long a target may be silent; default 30 s. */
  readonly timeoutMs?: number
}

export type Edge = { readonly url: string; close(): Promise<void> }

type Route = { readonly prefix: string; readonly target: Target; readonly agent: Agent }
type Target = { readonly protocol: 'https:'; readonly host: string; readonly port: number }
type Proxy = ReturnType<typeof httpProxy.createProxyServer>

const TIMEOUT_MS = 30_000
const DRAIN_MS = 2_000
const NOT_FOUND: Refused = { status: 404, text: 'Nothing is here' }

export async function startEdge(settings: EdgeSettings): Promise<Edge> {
  const routes = settings.routes
    .map((each) => route(each, settings.ca))
    .sort((one, other) => other.prefix.length - one.prefix.length)
  const pages = (settings.pages ?? []).map(readPages)
  const proxy = createProxy(settings.timeoutMs ?? TIMEOUT_MS)
  const server = createServer({ cert: settings.cert, key: settings.key, minVersion: 'TLSv1.2' }, (request, response) =>
    handle(request, response, { routes, pages, proxy }),
  )
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(settings.port, settings.address ?? '127.0.0.1', () => resolve())
  })
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        const force = setTimeout(() => server.closeAllConnections(), DRAIN_MS)
        server.close(() => {
          clearTimeout(force)
          for (const { agent } of routes) agent.destroy()
          resolve()
        })
      }),
  }
}

function route({ prefix, target }: EdgeRoute, ca: string): Route {
  const url = new URL(target)
  if (url.protocol !== 'https:' || url.pathname !== '/') throw new Error(`${target} is not an https origin`)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  return {
    prefix,
    target: { protocol: 'https:', host, port: Number(url.port || 443) },
    // The name to verify is the target's; Node would otherwise take it from the browser's Host header.
    agent: new Agent({ ca, servername: isIP(host) === 0 ? host : '' }),
  }
}

type Served = { readonly routes: readonly Route[]; readonly pages: readonly StaticPages[]; readonly proxy: Proxy }

function handle(request: IncomingMessage, response: ServerResponse, { routes, pages, proxy }: Served): void {
  const path = pathOf(request.url ?? '')
  const found = routes.find((each) => covers(each.prefix, path))
  const refused = refusalOf(request)
  if (refused === null && pages.some((each) => each.answer(request.method, path, response))) return
  if (refused !== null || found === undefined) {
    answer(response, refused ?? NOT_FOUND)
    return
  }
  dropHopByHop(request.headers)
  markForwarded(request.headers)
  // Answered by this server already. http-proxy also skips `proxyReq` when it is present, and with it the cleanup.
  delete request.headers.expect
  proxy.web(request, response, { target: found.target, agent: found.agent })
}

const covers = (prefix: string, path: string): boolean =>
  prefix === '/' || path === prefix || path.startsWith(`${prefix}/`)

function createProxy(timeoutMs: number): Proxy {
  // `toProxy` keeps the path as it came; the library would parse and re-escape it.
  const proxy = httpProxy.createProxyServer({ secure: true, xfwd: false, toProxy: true, proxyTimeout: timeoutMs })
  proxy.on('proxyReq', (upstream, _request, response) => {
    // http-proxy 1.18.1 listens for `aborted` only, which a request whose body has been read no longer emits.
    const abandon = (): void => {
      if (!response.writableFinished) upstream.destroy()
    }
    if (response.closed) abandon()
    else response.once('close', abandon)
  })
  proxy.on('proxyRes', (upstream, _request, response) => {
    dropHopByHop(upstream.headers)
    // A target that dies in the middle must not leave the browser waiting.
    upstream.once('close', () => {
      if (!upstream.complete) response.destroy()
    })
  })
  proxy.on('error', (_error, _request, response) => {
    if (!('writeHead' in response)) response.destroy()
    else if (response.headersSent) response.destroy()
    else if (!response.destroyed)
      answer(response, { status: 502, text: 'The application behind this page is not answering' })
  })
  return proxy
}

function answer(response: ServerResponse, { status, text }: Refused): void {
  const page = `<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>${text}</title></head>\n<body><h1>${text}</h1></body>\n</html>\n`
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'content-length': Buffer.byteLength(page),
    'content-security-policy': "default-src 'none'",
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    ...(status === 405 ? { allow: ALLOW } : {}),
    // What is left of a refused body is not read: the connection ends here.
    ...(status === 502 || status === 404 ? {} : { connection: 'close' }),
  })
  response.end(page)
}
