/** Connection checks, which prove the wires and nothing else (lfi-api 4.4). */
import type { TLSSocket } from 'node:tls'
import type Router from '@koa/router'
import type Koa from 'koa'
import { trustedPeer } from './hub-caller.ts'

/** This side listens on TLS only. */
export const socketOf = (ctx: Koa.Context): TLSSocket => ctx.req.socket as TLSSocket

export function healthRoutes<State>(router: Router<State>): void {
  const hello = (mtlsStatus: 'not-checked' | 'established', ctx: Koa.Context) => ({
    connectionEstablished: true,
    mtlsStatus,
    hostName: ctx.host,
  })
  router.get('/hello', (ctx) => {
    ctx.body = hello('not-checked', ctx)
  })
  router.get('/hello-mtls', (ctx) => {
    trustedPeer(socketOf(ctx))
    ctx.body = hello('established', ctx)
  })
  router.get('/echo-cert', (ctx) => {
    trustedPeer(socketOf(ctx))
    const certificate = socketOf(ctx).getPeerX509Certificate()
    const name = (lines: string | undefined) => (lines ?? '').split('\n').join(', ')
    ctx.body = {
      ...hello('established', ctx),
      clientCertificate: { subject: name(certificate?.subject), issuer: name(certificate?.issuer) },
    }
  })
}
