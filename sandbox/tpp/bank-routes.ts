/** The page of a bank: open data, and confirmation of payee. Nobody has to be connected for it. */
import { type Handler, type PageContext, present, settle, show } from './answering.ts'
import type { LfiConnection, TppClient } from './client.ts'
import { bankPage, type PayeeView } from './pages/bank.ts'
import { record, records } from './pages/values.ts'

export const bankRoutes = (client: TppClient): { readonly shown: Handler; readonly asked: Handler } => ({
  shown: (ctx) => answer(ctx, client, null),
  asked: async (ctx) => {
    const { form } = ctx.state
    const iban = (form.get('iban') ?? '').replaceAll(/\s/g, '').toUpperCase()
    const name = (form.get('name') ?? '').trim()
    if (iban === '' || name === '') return ctx.throw(400, 'An account number and a name are needed.')
    await answer(ctx, client, { iban, name })
  },
})

async function answer(
  ctx: PageContext,
  client: TppClient,
  payee: { readonly iban: string; readonly name: string } | null,
): Promise<void> {
  const lfi = (await client.lfis()).find(({ code }) => code === ctx.params['code'])
  if (lfi === undefined) return ctx.throw(404, 'There is no such bank.')
  const bank = await client.connect(lfi)
  const customer = { ...present(ctx), since: new Date() }
  // A client that has not been here before is not known to this bank's hub.
  await bank.register()
  const listOf = (family: 'atm' | 'product', path: string) =>
    settle(bank.service({ family, path, customer }).then(({ body }) => records(record(body)['Data'])))
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
  return settle(bank.service({ ...call, body: { Data } }).then(({ body }) => (body === null ? null : record(body))))
}
