import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type BankCode, bankUsers } from '../../sandbox/bank/bank.ts'
import { type Contract, publishedDocumentsPresent, readContract } from './bank-contract.ts'
import { createCaller, createRig, hubToken, o3Headers, type Reply, type Rig } from './bank-rig.ts'

const PAGE = 'page=1&page-size=100'
const PER_ACCOUNT: readonly (readonly [path: string, query: string])[] = [
  ['', ''],
  ['/balances', PAGE],
  ['/beneficiaries', PAGE],
  ['/direct-debits', PAGE],
  ['/products', PAGE],
  ['/scheduled-payments', PAGE],
  ['/standing-orders', PAGE],
  ['/customer', PAGE],
  ['/transactions', PAGE],
  ['/statements', PAGE],
]

if (!publishedDocumentsPresent) console.warn('skipped: ../shared with the published documents is not here')

describe.skipIf(!publishedDocumentsPresent).each<BankCode>(['aurora', 'meridian'])('answers of %s', (code) => {
  let rig: Rig
  let caller: ReturnType<typeof createCaller>
  let contract: Contract
  beforeAll(async () => {
    contract = readContract()
    rig = await createRig(code)
    caller = createCaller(rig, rig.hub)
  })
  afterAll(async () => {
    await caller.close()
    await rig.close()
  })

  const read = async (userId: string, path: string): Promise<Reply> =>
    caller.get(path, {
      ...o3Headers(code, userId),
      authorization: `Bearer ${await hubToken(rig.hubKey, { aud: code })}`,
    })

  test('conform to the published document for every user, account and operation', async () => {
    const statuses = new Map<number, number>()
    let complaints: readonly string[] = []
    const judge = (template: string, path: string, reply: Reply) => {
      statuses.set(reply.status, (statuses.get(reply.status) ?? 0) + 1)
      complaints = [
        ...complaints,
        ...contract.complaints(template, reply.status, reply.body).map((text) => `${path}: ${text}`),
      ]
    }
    for (const { userId, accountIds } of bankUsers(code)) {
      judge('/customer', '/customer', await read(userId, '/customer'))
      const list = `/accounts?accountIds=${accountIds.join(',')}&${PAGE}`
      judge('/accounts', list, await read(userId, list))
      // These two answer with no valid body on purpose; other tests look at them.
      const honest = accountIds.filter((id) => !/-(drop|invalid)$/.test(id))
      await Promise.all(
        honest.flatMap((id) =>
          PER_ACCOUNT.map(async ([path, query]) => {
            const reply = await read(userId, `/accounts/${id}${path}?${query}`)
            judge(`/accounts/{accountId}${path}`, `/accounts/${id}${path}`, reply)
          }),
        ),
      )
    }
    expect(complaints.slice(0, 10)).toEqual([])
    expect([...statuses.keys()].toSorted()).toEqual([200, 403, 429, 500])
    expect(statuses.get(200)).toBeGreaterThan(150)
  }, 60_000)

  test('conform on every page of the account with ten thousand transactions, which add up to ten thousand', async () => {
    const user = bankUsers(code).find(({ story }) => story.includes('10,000'))
    const seen = new Set<unknown>()
    for (let page = 1; page <= 101; page++) {
      const path = `/accounts/${user?.accountIds[0]}/transactions?page=${page}&page-size=100`
      const { status, body } = await read(user?.userId ?? '', path)
      expect(status).toBe(200)
      expect(contract.complaints('/accounts/{accountId}/transactions', 200, body)).toEqual([])
      const { data, meta } = body as { data: { transactionId: string }[]; meta: unknown }
      expect(meta).toEqual({ paginated: true, totalPages: 100, totalRecords: 10_000 })
      expect(data).toHaveLength(page <= 100 ? 100 : 0)
      for (const { transactionId } of data) seen.add(transactionId)
    }
    expect(seen.size).toBe(10_000)
  }, 60_000)

  test('conform for the health checks and for refusals', async () => {
    for (const path of ['/hello', '/hello-mtls', '/echo-cert']) {
      const reply = await caller.get(path, {})
      expect(reply.status).toBe(200)
      expect(contract.complaints(path, 200, reply.body)).toEqual([])
    }
    const nobody = await read('u-0', '/customer')
    expect(nobody.status).toBe(400)
    expect(contract.complaints('/customer', 400, nobody.body)).toEqual([])
    const unsigned = await caller.get('/customer', o3Headers(code, 'u-0'))
    expect(contract.complaints('/customer', 401, unsigned.body)).toEqual([])
  })

  test('would be caught if they did not conform: a missing, a wrong and an invented member', async () => {
    const [user] = bankUsers(code)
    const { body } = await read(user?.userId ?? '', `/accounts/${user?.accountIds[0]}/balances?${PAGE}`)
    const spoiled = (change: object) => {
      const copy = structuredClone(body) as { data: object[] }
      copy.data[0] = { ...copy.data[0], ...change }
      return contract.complaints('/accounts/{accountId}/balances', 200, JSON.parse(JSON.stringify(copy)))
    }
    expect(spoiled({})).toEqual([])
    expect(spoiled({ balanceType: undefined })).not.toEqual([])
    expect(spoiled({ amount: { amount: '12,5', currency: 'AED' } })).not.toEqual([])
    expect(spoiled({ balanceTyp: 'InterimBooked' })).not.toEqual([])
  })
})
