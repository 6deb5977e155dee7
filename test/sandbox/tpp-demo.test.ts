/** The demo must be able to say no: what its recorder counts, what its browser sends, where it stops. */
import { expect, test } from 'vitest'
import { createBrowser, type Exit, type Page } from '../../sandbox/demo/browser.ts'
import { fill, readForms } from '../../sandbox/demo/forms.ts'
import { dataOf } from '../../sandbox/demo/reads.ts'
import { createRecorder, DemoStopped } from '../../sandbox/demo/recorder.ts'
import { listenTls } from '../../sandbox/tls.ts'
import { startStandIn } from './tpp-stand-in.ts'

function recording() {
  const lines: string[] = []
  const recorder = createRecorder(
    (line) => lines.push(line),
    () => null,
  )
  return { recorder, said: () => lines.join('\n') }
}

test('a demo of which everything held says so', async () => {
  const { recorder, said } = recording()
  expect(await recorder.step('one', 'GET /', async () => ({ value: 7, saw: 'ok' }))).toBe(7)
  await recorder.check('two', 'GET /', async () => ({ value: null, saw: 'ok' }))
  expect(recorder.finish()).toBe(true)
  expect(said()).toContain('2 of 2 held')
})

test('a failed check is counted and the demo goes on', async () => {
  const { recorder, said } = recording()
  await recorder.check('one', 'GET /', () => Promise.reject(new Error('it was allowed')))
  await recorder.check('two', 'GET /', async () => ({ value: null, saw: 'ok' }))
  expect(recorder.finish()).toBe(false)
  expect(said()).toContain('it was allowed')
  expect(said()).toContain('1 of 2 held')
})

test('a failed step ends the demo', async () => {
  const { recorder } = recording()
  await expect(recorder.step('one', 'GET /', () => Promise.reject(new Error('no')))).rejects.toThrow(DemoStopped)
  expect(recorder.finish()).toBe(false)
})

test('a demo without a step has not held', () => {
  expect(recording().recorder.finish()).toBe(false)
})

test('an answer without the data asked for is not taken for one', () => {
  for (const body of [null, {}, { Data: null }, { Data: {} }, { Data: { Account: null } }]) {
    expect(() => dataOf(body, 'Account')).toThrow('Data.Account')
  }
  expect(dataOf({ Data: { Account: [] } }, 'Account')).toEqual([])
})

test('a form sends what a browser would send', () => {
  const [form] = readForms(`<form method="post" action="/go?a=1&amp;b=2">
    <input type="hidden" name="csrf" value="a&amp;b&quot;&#x27;">
    <input type=text name=user><input type="password" name="password">
    <input type="checkbox" name="account" value="1"><input type="checkbox" name="account" value="2" checked>
    <input type="checkbox" name="off" disabled><input name="">
    <button id="yes" name="action" value="yes">Yes</button><button id="no" name="action" value="no">No</button></form>`)
  if (form === undefined) throw new Error('no form found')
  expect(form).toMatchObject({ action: '/go?a=1&b=2', method: 'POST' })
  const press = form.controls.find((control) => control.id === 'no')
  expect(fill(form, { press, fields: { user: 'layla', password: 'p w' } }).toString()).toBe(
    'csrf=a%26b%22%27&user=layla&password=p+w&account=2&action=no',
  )
  expect(fill(form, { tick: (control) => control.kind === 'checkbox' }).getAll('account')).toEqual(['1', '2'])
})

test('the browser keeps cookies to their path, drops ended ones, and stops at the exit', async () => {
  const standIn = await startStandIn()
  const seen: [string, string][] = []
  const ANSWERS = new Map([
    [
      '/banks/a/set',
      { location: '/banks/a/next', cookies: ['s=1; Path=/banks/a; Secure', 'gone=1; Path=/; Max-Age=60'] },
    ],
    ['/banks/a/next', { location: '/banks/b/other', cookies: ['gone=; Path=/; Max-Age=0'] }],
    ['/banks/b/other', { location: '/banks/a/back', cookies: [] }],
    ['/banks/a/back', { location: '/out?code=1', cookies: [] }],
  ])
  const server = await listenTls({ port: 0, server: standIn.server }, (request, response) => {
    seen.push([request.url ?? '', request.headers.cookie ?? ''])
    const answer = ANSWERS.get(request.url ?? '')
    response.writeHead(303, { location: answer?.location ?? '/', 'set-cookie': answer?.cookies ?? [] }).end()
  })
  const browser = createBrowser({ ca: standIn.ca, exitAt: (url) => url.pathname === '/out' })
  try {
    const end: Page | Exit = await browser.open(`https://localhost:${server.port}/banks/a/set`)
    expect('exit' in end && end.exit.searchParams.get('code')).toBe('1')
    expect(seen).toEqual([
      ['/banks/a/set', ''],
      ['/banks/a/next', 's=1; gone=1'],
      ['/banks/b/other', ''],
      ['/banks/a/back', 's=1'],
    ])
  } finally {
    await browser.close()
    await server.close()
    await standIn.close()
  }
})
