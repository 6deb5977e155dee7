/** The yardstick: http-proxy between the same two mutual TLS legs, and nothing else. */
import { readFileSync } from 'node:fs'
import { Agent, createServer } from 'node:https'
import httpProxy from 'http-proxy'

type ProxySettings = {
  readonly port: number
  readonly cert: string
  readonly key: string
  readonly ca: string
  readonly clientCert: string
  readonly clientKey: string
  readonly target: string
}

const settings = JSON.parse(process.argv[2] ?? '{}') as ProxySettings
const ca = readFileSync(settings.ca)
const proxy = httpProxy.createProxyServer({
  target: settings.target,
  agent: new Agent({
    keepAlive: true,
    maxSockets: 32,
    ca,
    cert: readFileSync(settings.clientCert),
    key: readFileSync(settings.clientKey),
  }),
})
proxy.on('error', (error, _request, response) => {
  if ('writeHead' in response) response.writeHead(502).end(error.message)
})
createServer(
  {
    cert: readFileSync(settings.cert),
    key: readFileSync(settings.key),
    ca,
    requestCert: true,
    rejectUnauthorized: true,
    keepAliveTimeout: 60_000,
  },
  (request, response) => proxy.web(request, response),
).listen(settings.port, '127.0.0.1', () => process.send?.('ready'))
process.once('disconnect', () => process.exit(0))
