/** "Wadi Budget": the sandbox's TPP as a web application. Pages are made here; the browser needs no JavaScript. */
import { readFileSync } from 'node:fs'
import Koa from 'koa'
import { html } from '../html.ts'
import { listenTls } from '../tls.ts'
import { createTppClient } from './client.ts'
import { LfiFault } from './errors.ts'
import { createJourney } from './journey.ts'
import { createNotices } from './notices.ts'
import { layout } from './pages/layout.ts'
import { problem } from './pages/problem.ts'
import { createRouter } from './routes.ts'
import { type AppState, visitors } from './session.ts'
import type { TppSettings } from './settings.ts'
import { openState } from './state.ts'
import { webhookDoor } from './webhooks.ts'

export type { TppSettings } from './settings.ts'
export type RunningTpp = { readonly url: string; readonly port: number; close(): Promise<void> }

export async function startTpp(settings: TppSettings): Promise<RunningTpp> {
  const client = await createTppClient({
    trustFrameworkUrl: settings.trustFrameworkUrl,
    ca: readFileSync(settings.caFile, 'utf8'),
    application: settings.application,
  })
  const state = openState(settings.dataDir)
  const app = new Koa<AppState>()
  app.silent = true
  app.use(securityHeaders)
  app.use(failures)
  const notices = createNotices()
  if (settings.webhook !== undefined) app.use(webhookDoor(settings.webhook, client, notices))
  app.use(visitors(state, settings.publicUrl, notices))
  const router = createRouter({ client, journey: createJourney(client, state, settings.webhook?.url) })
  app.use(router.routes()).use(router.allowedMethods())
  const listening = await listenTls(settings.listen, app.callback())
  return {
    url: settings.publicUrl,
    port: listening.port,
    close: async () => {
      await listening.close()
      await client.close()
    },
  }
}

/**
 * No script, no frame, no foreign content. `form-action` holds for the redirects after a form as well, so a page that
 * leads to banks names their authorization pages in it.
 */
const securityHeaders: Koa.Middleware<AppState> = async (ctx, next) => {
  ctx.state.formTargets = []
  await next()
  ctx.set(
    'content-security-policy',
    `default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; ` +
      `form-action ${["'self'", ...new Set(ctx.state.formTargets)].join(' ')}`,
  )
  ctx.set('x-content-type-options', 'nosniff')
  // `no-referrer` would turn the Origin of our own forms into `null`.
  ctx.set('referrer-policy', 'same-origin')
  if (ctx.response.headers['cache-control'] === undefined) ctx.set('cache-control', 'no-store')
}

const failures: Koa.Middleware<AppState> = async (ctx, next) => {
  try {
    await next()
    if (ctx.status === 404 && !ctx.body) ctx.throw(404, 'There is nothing at this address.')
  } catch (error) {
    const calls = ctx.state.visitor?.calls ?? []
    const notices = ctx.state.visitor?.notices ?? []
    if (error instanceof LfiFault) {
      ctx.status = 502
      ctx.body = layout('Not available', problem(error, 'That did not work'), { calls, notices })
    } else {
      const known = error instanceof Koa.HttpError && error.expose
      ctx.status = known ? error.status : 500
      const said = known ? error.message : 'Something broke in this application. It has been written to its log.'
      if (!known) console.error(error)
      ctx.body = layout(
        'Problem',
        html`<section id="problem" class="problem"><h2>${ctx.status}</h2><p>${said}</p></section>`,
        { calls, notices },
      )
    }
    ctx.type = 'html'
  }
}
