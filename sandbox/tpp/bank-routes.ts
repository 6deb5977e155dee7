/** The page of a bank: open data, and confirmation of payee. Nobody has to be connected for it. */

import type { Html } from '../html.ts'
import type { LfiConnection, TppClient } from './client.ts'
import { LfiFault } from './errors.ts'
import { bankPage, type PayeeView } from './pages/bank.ts'
import { record, records } from './pages/values.ts'
import type { AppContext } from './session.ts'

type Handler = (ctx: AppContext & { params: Record<string, string> }) => Promise<void>
type Deps = {
  readonly client: TppClient
  readonly present: (ctx: AppContext) => { readonly ipAddress: string; readonly userAgent: string }
  readonly show: (ctx: AppContext, title: string, content: Html) => void
}

export const bankRoutes = (deps: Deps): { readonly shown: Handler; readonly asked: Handler } => ({
  shown: (ctx) => answer(ctx, deps, null),
  asked: async (ctx) => {
    const { form } = ctx.state
    const iban = (form.get('iban') ?? '').replaceAll(/\s/g, '').toUpperCase()
    const name = (form.get('name') ?? '').trim()
    if (iban === '' || name === '') return ctx.throw(400, 'An account number and a name are needed.')
    await answer(ctx, deps, { iban, name })
  },
})

async function answer(
  ctx: AppContext & { params: Record<string, string> },
  { client, present, show }: Deps,
  payee: { readonly iban: string; readonly name: string } | null,
): Promise<void> {
  const lfi = (await client.lfis()).find(({ code }) => code === ctx.params['code'])
  if (lfi === undefined) return ctx.throw(404, 'There is no such bank.')
  const bank = await client.connect(lfi)
  const customer = { ...present(ctx), since: new Date() }
  // A client that has not been here before is not known to this bank's hub.
  await bank.register()
  const listOf = (family: 'atm' | 'product', path: string) =>
    settled(bank.service({ family, path, customer }).then(({ body }) => records(record(body)['Data'])))
  const [machines, brands] = await Promise.all([listOf('atm', '/atms'), listOf('product', '/products')])
  const view = { code: lfi.code, name: lfi.name, machines, brands, csrf: ctx.state.visitor.csrf }
  show(ctx, lfi.name, bankPage({ ...view, payee: payee && { ...payee, answer: await confirm(bank, payee) } }))
}

function confirm(
  bank: LfiConnection,
  asked: { readonly iban: string; readonly name: string },
): Promise<PayeeView['answer']> {
  const Data = { SchemeName: 'IBAN', Identification: asked.iban, Name: { FullName: asked.name } }
  const call = { family: 'confirmation', path: '/confirmation', method: 'POST', signed: true } as const
  return settled(bank.service({ ...call, body: { Data } }).then(({ body }) => (body === null ? null : record(body))))
}

async function settled<T>(work: Promise<T>): Promise<T | LfiFault> {
  try {
    return await work
  } catch (error) {
    if (error instanceof LfiFault) return error
    throw error
  }
}
