/** Being a customer at a bank's pages: sign in, choose, approve. Nothing but what a person with a keyboard could do. */
import { type Browser, createBrowser, type Exit, type Page } from './browser.ts'
import type { Control, Form } from './forms.ts'

export type Customer = { readonly username: string; readonly password: string }
export type Authorized = {
  /** What the bank sent the browser back with. */
  readonly query: URLSearchParams
  /** Titles of the pages on the way. */
  readonly pages: readonly string[]
  readonly accountsOffered: number
}

const PAGES_MAX = 6

export async function approveAtBank(
  authorizationUrl: string,
  setting: { readonly ca: string; readonly redirectUri: string; readonly customer: Customer },
): Promise<Authorized> {
  const browser = createBrowser({
    ca: setting.ca,
    exitAt: (url) => `${url.origin}${url.pathname}` === setting.redirectUri,
  })
  const pages: string[] = []
  let accountsOffered = 0
  try {
    let at = await browser.open(authorizationUrl)
    while (!('exit' in at)) {
      if (pages.length === PAGES_MAX) throw new Error(`the bank shows more than ${PAGES_MAX} pages`)
      pages.push(titleOf(at))
      accountsOffered = Math.max(accountsOffered, boxes(at).length)
      at = await goOn(browser, at, setting.customer)
    }
    return { query: at.exit.searchParams, pages, accountsOffered }
  } finally {
    await browser.close()
  }
}

/** The pages' ids are their contract with whoever drives them. */
export async function goOn(browser: Browser, page: Page, customer: Customer): Promise<Page | Exit> {
  if (page.html.includes('role="alert"')) throw new Error(`the bank shows a problem on its page "${titleOf(page)}"`)
  const login = findButton(page, 'login')
  if (login !== null) return browser.submit(page, login.form, { press: login.press, fields: { ...customer } })
  const approve = findButton(page, 'approve')
  if (approve === null) throw new Error(`no way on from the bank's page "${titleOf(page)}" (${page.status})`)
  // Every box may be ticked; of several circles one is.
  const circle = approve.form.controls.find(({ kind }) => kind === 'radio')
  return browser.submit(page, approve.form, {
    press: approve.press,
    tick: (control) => control.kind === 'checkbox' || control === circle,
  })
}

function findButton(page: Page, id: string): { readonly form: Form; readonly press: Control } | null {
  for (const form of page.forms) {
    const press = form.controls.find((control) => control.kind === 'button' && control.id === id)
    if (press !== undefined) return { form, press }
  }
  return null
}

const boxes = (page: Page): readonly Control[] =>
  page.forms.flatMap((form) => form.controls.filter(({ kind }) => kind === 'checkbox' || kind === 'radio'))
const titleOf = (page: Page): string => /<title>([^<]*)<\/title>/i.exec(page.html)?.[1]?.trim() ?? page.url
