/** A bank with its pages open before the tests: one browser for each, the hub's stand-in, and the usual steps. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, vi } from 'vitest'
import { type BankUser, bankUsers } from '../../sandbox/bank/bank.ts'
import { type Browser, openBrowser } from './bank-browser.ts'
import { type Asked, CONSENT_ID, createStandIn } from './bank-hub-stand-in.ts'
import { createRig, type Rig } from './bank-rig.ts'

export const QUERY = 'client_id=c-1&request_uri=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3A1'
export const hub = createStandIn()
export let rig: Rig
/** The browser of the running test. */
export let browser: Browser
const opened: Browser[] = []

beforeAll(async () => {
  rig = await createRig('aurora', hub.handle)
})
afterAll(async () => {
  for (const one of opened) await one.close()
  await rig.close()
})
beforeEach(() => {
  hub.reset()
  startOver()
})
afterEach(() => vi.useRealTimers())

export function anotherBrowser(): Browser {
  const fresh = openBrowser(rig)
  opened.push(fresh)
  return fresh
}
export function startOver(): void {
  browser = anotherBrowser()
}

export const users = bankUsers('aurora')
export const userWith = (words: string): BankUser => {
  const user = users.find(({ story }) => story.includes(words))
  if (user === undefined) throw new Error(`no user ${words}`)
  return user
}
export const plain = userWith('credit card')
export const newcomer = userWith('empty')
export const [current, , card] = plain.accountIds
export const calls = (): readonly string[] => hub.asked.map(({ method, path }) => `${method} ${path}`)
export const askedFor = (call: string): Asked => {
  const found = hub.asked.find(({ method, path }) => `${method} ${path}` === call)
  if (found === undefined) throw new Error(`${call} was not asked; only ${calls().join(', ')}`)
  return found
}
export const PATCH = `PATCH /consents/${CONSENT_ID}`
export const CONFIRM = 'POST /auth/interaction-1/doConfirm'
export const FAIL = 'POST /auth/interaction-1/doFail'
export const failure = () => Object.fromEntries(new URLSearchParams(askedFor(FAIL).body))

export async function arrive(): Promise<void> {
  expect((await browser.get(`/authorize?${QUERY}`)).location).toBe('/banks/aurora/login')
  expect((await browser.get('/login')).status).toBe(200)
}
export const signIn = (user: Pick<BankUser, 'username' | 'password'>) =>
  browser.post('/login', { action: 'login', username: user.username, password: user.password })
export async function arriveAndSignIn(user: BankUser = plain): Promise<string> {
  await arrive()
  expect((await signIn(user)).location).toBe('/banks/aurora/consent')
  return (await browser.get('/consent')).text
}
