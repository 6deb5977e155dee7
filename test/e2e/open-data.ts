/** The page of a bank at the TPP: what it tells everybody, and whether an account is whose somebody thinks it is. */
import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { bankUsers } from '../../sandbox/bank/bank.ts'
import { BANKS } from '../../sandbox/bank/data/book.ts'
import { accountNumbers } from '../../sandbox/bank/data/identifiers.ts'

/** A customer of Aurora, and the number of an account that is hers alone. */
function somebody() {
  const [known] = bankUsers('aurora')
  const person = BANKS.aurora.users.find(({ userId }) => userId === known?.userId)?.person
  const account = BANKS.aurora.accounts.find(
    ({ id, holders }) => known?.accountIds.includes(id) && holders.length === 1 && id !== '',
  )
  if (person === undefined || account === undefined) throw new Error('Aurora has nobody with an account')
  return { person, iban: accountNumbers(account, BANKS.aurora)[0].identification }
}

export async function visitOpenData(page: Page, edge: string): Promise<void> {
  const { person, iban } = somebody()
  await page.goto(edge)
  // Nobody has signed in, and nobody has to.
  await page.click('a.bank-page[data-lfi=aurora]')
  await page.waitForSelector('#payee')
  expect(await page.textContent('h1')).toBe('Aurora Bank')
  expect(await page.locator('#connections').count()).toBe(0)
  for (const item of ['#products .product', '#machines .machine']) {
    const [named, described] = [
      await page.locator(`${item} b`).allInnerTexts(),
      await page.locator(`${item} small`).allInnerTexts(),
    ]
    expect(named.length).toBeGreaterThan(1)
    for (const each of [...named, ...described]) expect(each).toMatch(/\p{L}{3}/u)
    expect([named.length, described.length]).toEqual([await page.locator(item).count(), named.length])
  }
  expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)

  const ask = async (number: string, name: string) => {
    await page.fill('#payee-iban', number)
    await page.fill('#payee-name', name)
    await page.click('#payee-ask')
    await page.waitForSelector('#payee-answer, #problem')
    // What was asked stands there to be corrected, as it was typed.
    expect(await page.inputValue('#payee-name')).toBe(name)
    if ((await page.locator('#payee-answer').count()) === 0) return page.getAttribute('#problem', 'data-code')
    return page.getAttribute('#payee-answer', 'data-indicator')
  }
  const inPrint = (iban.match(/.{1,4}/g) ?? []).join(' ').toLowerCase()
  const { given, family, arabic } = person
  expect(await ask(inPrint, `${given} ${family}`.toUpperCase())).toBe('ConfirmationOfPayee.Yes')
  expect(await ask(iban, arabic)).toBe('ConfirmationOfPayee.Yes')
  expect(await ask(iban, `${given.slice(0, -1)} ${family}`)).toBe('ConfirmationOfPayee.Partial')
  const masked = (await page.textContent('#payee-masked')) ?? ''
  expect(masked).toContain('*')
  expect(masked).not.toContain(family)
  expect(await ask(iban, 'Somebody Quite Different')).toBe('ConfirmationOfPayee.No')
  expect(await page.locator('#payee-masked').count()).toBe(0)
  // A name is text, whatever is in it.
  expect(await ask(iban, '"><script>document.title="taken"</script>')).toBe('ConfirmationOfPayee.No')
  expect(await page.title()).not.toBe('taken')
  expect(await page.locator('#payee script').count()).toBe(0)
  expect(await ask(`${iban.slice(0, -1)}${iban.endsWith('0') ? '1' : '0'}`, 'Anybody')).toBe('Body.InvalidFormat')

  const forged = await page.request.post(new URL('/about/aurora/payee', edge).href, {
    form: { iban, name: arabic },
    ignoreHTTPSErrors: true,
  })
  expect(forged.status()).toBe(403)
  // Asked aside: a page that is not there would be a fault of the page in the browser's log.
  const nowhere = await page.request.get(new URL('/about/nowhere', edge).href, { ignoreHTTPSErrors: true })
  expect([nowhere.status(), await nowhere.text()]).toEqual([404, expect.stringContaining('There is no such bank.')])
  await page.goto(edge)
  await page.click('a.bank-page[data-lfi=meridian]')
  await page.waitForSelector('#products .product')
  expect(await page.textContent('h1')).toBe('Meridian Islamic Bank')
}
