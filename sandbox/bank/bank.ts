/** A sandbox bank: Ozone Connect for the hub, pages for its customers, and invented data behind both. */
import { Agent } from 'undici'
import { clientTls } from '../tls.ts'
import { asOfDay } from './as-of.ts'
import { createBook } from './data/book.ts'
import { listen } from './listen.ts'
import { printLog } from './log.ts'
import { createOzoneConnect } from './ozone-connect/app.ts'
import { createHubCaller } from './ozone-connect/hub-caller.ts'
import { createKeystore } from './ozone-connect/keystore.ts'
import { createPages } from './pages/app.ts'
import { createHub } from './pages/hub.ts'
import { createLedger } from './payments/ledger.ts'
import { createPersonalReader } from './payments/personal.ts'
import type { BankSettings } from './settings.ts'

export type { BankCode } from './data/spec.ts'
export type { ThemeName } from './pages/style.ts'
export type { BankSettings } from './settings.ts'
export { type BankUser, bankUsers } from './users.ts'

export type Bank = {
  readonly ozoneConnectUrl: string
  readonly pagesUrl: string
  close(): Promise<void>
}

export async function startBank(settings: BankSettings): Promise<Bank> {
  const { code, name, theme, tls, publicBase } = settings
  const now = () => Date.now()
  const log = settings.log ?? printLog(code)
  const today = asOfDay(settings.stateFile, now())
  const book = createBook(code, { seed: settings.seed, asOfDay: today })
  const dispatcher = new Agent({ connect: clientTls(tls.caFile) })
  const keystore = createKeystore({ origin: settings.hubCaller.keystore, dispatcher, now })
  const hubCaller = createHubCaller({
    organisationId: settings.hubCaller.organisationId,
    audience: code,
    keystore,
    now,
  })
  const ledger = createLedger(settings.ledgerFile, now)
  const personal = createPersonalReader({ encryptionKey: settings.encryptionKey, keystore })
  const hub = await createHub(settings, log, now)

  const ozoneConnect = await listen(
    { port: settings.ports.ozoneConnect, server: tls, clientCaFile: tls.caFile },
    createOzoneConnect({ book, hub: hubCaller, ledger, personal, log, now, asOfDay: today }).callback(),
  )
  const pages = await listen(
    { port: settings.ports.pages, server: tls },
    createPages({ book, name, theme, publicBase, hub, personal, log, now }).callback(),
  ).catch(async (thrown: unknown) => {
    await Promise.all([ozoneConnect.close(), hub.close(), dispatcher.close()])
    throw thrown
  })
  return {
    ozoneConnectUrl: `https://localhost:${ozoneConnect.port}`,
    pagesUrl: `https://localhost:${pages.port}${new URL(publicBase).pathname.replace(/\/$/, '')}`,
    close: async () => {
      await Promise.all([ozoneConnect.close(), pages.close()])
      await Promise.all([hub.close(), dispatcher.close()])
    },
  }
}
