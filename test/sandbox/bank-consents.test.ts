/** What the bank says about a consent, and that it takes note of events: to the hub, and to nobody else. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCaller, createRig, hubToken, type Identity, o3Headers, type Reply, type Rig } from './bank-rig.ts'

let rig: Rig
let caller: ReturnType<typeof createCaller>
beforeAll(async () => {
  rig = await createRig('aurora')
  caller = createCaller(rig, rig.hub)
})
afterAll(async () => {
  await caller.close()
  await rig.close()
})

type Ask = {
  readonly headers?: Readonly<Record<string, string>>
  readonly without?: string
  readonly data?: object
  readonly id?: string
  readonly body?: string
  readonly token?: string | null
  readonly as?: Identity | null
}
async function post(path: string, ask: Ask = {}): Promise<Reply> {
  const headers: Record<string, string> = { ...o3Headers('aurora', ''), 'o3-api-operation': 'POST', ...ask.headers }
  delete headers['o3-psu-identifier']
  if (ask.without !== undefined) delete headers[ask.without]
  const token = ask.token === undefined ? await hubToken(rig.hubKey, { aud: 'aurora' }) : ask.token
  if (token !== null) headers['authorization'] = `Bearer ${token}`
  const record = { id: ask.id ?? headers['o3-consent-id'], consentBody: { Data: ask.data ?? {} } }
  const body = ask.body ?? JSON.stringify(record)
  if (ask.as === undefined) return caller.post(path, { ...headers, 'content-type': 'application/json' }, body)
  const stranger = createCaller(rig, ask.as)
  try {
    return await stranger.post(path, { ...headers, 'content-type': 'application/json' }, body)
  } finally {
    await stranger.close()
  }
}
const VALIDATE = '/consent/action/validate'

describe('validate', () => {
  test.each([
    [{}, 'valid'],
    [{ AccountType: [] }, 'valid'],
    [{ AccountType: ['Retail'] }, 'valid'],
    [{ AccountType: ['Corporate', 'SME'] }, 'valid'],
    [{ AccountType: ['Corporate'] }, 'invalid'],
  ] as const)('%j is %s', async (data, status) => {
    const reply = await post(VALIDATE, { data })
    expect(reply.status).toBe(200)
    expect(reply.body).toMatchObject({ data: { status }, meta: {} })
  })
})

describe.each([[VALIDATE], ['/consent/event/post'], ['/consent/event/patch']])('%s', (path) => {
  test('is for the hub with a fresh token', async () => {
    expect((await post(path)).status).toBe(path === VALIDATE ? 200 : 204)
    for (const ask of [{ token: null }, { token: 'x.y.z' }, { as: null }, { as: rig.impostor }, { as: rig.forged }]) {
      expect((await post(path, ask)).status).toBe(401)
    }
  })

  test('needs its headers, of this bank, about the consent of its body', async () => {
    for (const without of ['o3-consent-id', 'o3-provider-id', 'o3-caller-client-id', 'o3-ozone-interaction-id']) {
      expect((await post(path, { without, id: 'x' })).status).toBe(400)
    }
    expect((await post(path, { headers: { 'o3-provider-id': 'meridian' } })).status).toBe(400)
    expect((await post(path, { id: 'another' })).status).toBe(400)
  })

  test.each(['', '[]', '"x"', '{', 'null'])('takes no body like %j', async (body) => {
    expect((await post(path, { body })).status).toBe(400)
  })
})

test('there are two kinds of events', async () => {
  expect((await post('/consent/event/delete')).status).toBe(400)
})
