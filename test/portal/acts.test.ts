/**
 * What people do in the portal: who may not, what takes two, and what the audit log says of it; also where a request is
 * none that a page would send. Each act as somebody does it at a page: every-act.test.ts.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { PortalRole } from '../../src/config.ts'
import { RIGHTS } from '../../src/portal/roles.ts'
import { type Seeded, seed, seedTraffic } from './support/seed.ts'
import type { Seen, Visitor } from './support/visitor.ts'
import { createPortalWorld, type PortalWorld, personNamed } from './support/world.ts'

/** One person who has this role and no other. */
const PEOPLE = { operator: 'jamal', business: 'bushra', security: 'saif', regulator: 'rashid' } as const
const browsers = new Map<string, Visitor>()

let world: PortalWorld
let seeded: Seeded
beforeAll(async () => {
  world = await createPortalWorld()
  seeded = await seed(world)
  for (const username of [...Object.values(PEOPLE), 'sara', 'olfa']) {
    browsers.set(username, await world.loggedIn(username))
  }
}, 60_000)
afterAll(() => world.close())
beforeEach(() => world.ahead(0))

const at = (path: string): string => `${world.origin}${path}`
const as = (username: string): Visitor => browsers.get(username) ?? expect.fail(username)
const wordsOf = ({ body }: Seen): string => body.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ')
const csrfIn = ({ body }: Seen): string => /name="csrf" value="([^"]+)"/.exec(body)?.[1] ?? ''
const subject = (username: string): string => personNamed(username).subject
const lastActs = (many: number) => world.acts(many)

/** Where a receipt is, once the first act has been sealed. */
async function fileOnPage(): Promise<string> {
  const [first] = await world.acts()
  const page = async () => (await as('rashid').go(at(`/audit?receipt=${first?.['interactionId']}`))).body
  await expect.poll(page, { timeout: 20_000 }).toContain('" download>')
  const [, link = ''] = /href="([^"]+)" download>/.exec(await page()) ?? []
  const address = link.replaceAll('&amp;', '&')
  expect((await as('bushra').go(at(address))).headers['content-type']).toBe('application/octet-stream')
  return address
}

/** The form of an act on a page, filled in and sent; without one on the page, sent all the same. */
async function act(
  username: string,
  name: string,
  given: Record<string, string> = {},
  page = '/account',
): Promise<Seen> {
  const seen = await as(username).go(at(page))
  return as(username).go(at(`/acts/${name}`), { form: { csrf: csrfIn(seen), back: page, ...given } })
}

const ACTS = Object.entries(RIGHTS).filter(([name]) => name.includes('.'))

describe('nobody does what their role does not permit:', () => {
  const refused = ACTS.flatMap(([name, roles]) =>
    (Object.keys(PEOPLE) as PortalRole[]).filter((role) => !roles.includes(role)).map((role) => [role, name] as const),
  )

  test.each(refused)('%s: %s', async (role, name) => {
    const given = { id: seeded.authorized, use: 'sig', subject: 'lfi', reason: 'r', revokedBy: 'LFI' }
    const seen = await act(PEOPLE[role], name, given)
    expect([seen.status, wordsOf(seen).includes('Your role does not permit this')]).toEqual([403, true])
    expect(await lastActs(1)).toMatchObject([{ act: name, outcome: 'refused', actor: subject(PEOPLE[role]) }])
  })
})

describe('a TPP', () => {
  const path = () => `/tpps/${seeded.clientId}`

  test('is activated in three steps, and only then active', async () => {
    const steps = ['tpp.activate', 'statement.activate', 'client.activate']
    for (const [index, name] of steps.entries()) {
      const page = await as('bushra').go(at(path()))
      expect(page.body).toContain('<span class="state warn">not activated</span></p>')
      const done = await as('bushra').send(page, `/acts/${name}`)
      expect(done.address).toBe(at(`${path()}?done=${name}`))
      expect(done.body.includes('<span class="state good">active</span></p>')).toBe(index === 2)
    }
    expect(await lastActs(3)).toMatchObject([
      { act: 'tpp.activate', outcome: 'done', before: 'tpp inactive', after: 'tpp active', actor: subject('bushra') },
      { act: 'statement.activate', before: 'software-statement inactive', after: 'software-statement active' },
      { act: 'client.activate', before: 'client inactive', after: 'client active', target: seeded.clientId },
    ])
  })

  test('that is not there is not found, and not blocked', async () => {
    expect((await as('saif').go(at('/tpps/7b8fe3e7-35f3-4d23-812f-ad81e82fe13e'))).status).toBe(404)
    const seen = await act('saif', 'client.block', { id: 'nobody' })
    expect([seen.status, wordsOf(seen).includes('There is no client nobody')]).toEqual([404, true])
    expect(await lastActs(1)).toMatchObject([{ act: 'client.block', outcome: 'failed', before: null }])
  })
})

describe('what is dangerous takes two:', () => {
  const propose = async (username: string, name = 'tpps.block-all', given = {}) => {
    const seen = await act(username, name, given, '/approvals')
    expect(seen.address).toBe(at('/approvals?done=proposed'))
    const { rows } = await world.database.db.raw('select max(id)::text as id from portal_proposal')
    return String(rows[0].id)
  }
  const decide = (username: string, id: string, how: 'approve' | 'reject' = 'approve') =>
    act(username, `proposal.${how}`, { id }, '/approvals')
  const blocked = async () => (await as('saif').go(at('/tpps'))).body.includes('<span class="state bad">blocked</span>')

  test('one proposes, another approves, and it is done once', async () => {
    const id = await propose('saif')
    expect(await blocked()).toBe(false)
    const waiting = await as('sara').go(at('/approvals'))
    expect(wordsOf(waiting)).toMatch(/Block all TPPs .* Saif Al Ketbi/)
    const done = await as('sara').send(waiting, '/acts/proposal.approve')
    expect(done.address).toBe(at('/approvals?done=proposal.approve'))
    expect(await blocked()).toBe(true)
    const told = { act: 'tpps.block-all', proposal: id }
    expect(await lastActs(2)).toMatchObject([
      { ...told, outcome: 'proposed', actor: subject('saif'), before: '1 of 1 TPPs not blocked' },
      { ...told, outcome: 'approved', actor: subject('sara'), after: '0 of 1 TPPs not blocked' },
    ])
    // A second time, by anybody, nothing is done.
    expect((await decide('sara', id)).status).toBe(409)
    expect((await decide('jamal', id)).status).toBe(409)
    await act('bushra', 'tpp.activate', { id: world.framework.enrolment.tpp.organisationId })
    expect(await blocked()).toBe(false)
  })

  test('of two who approve at once one does it', async () => {
    const id = await propose('saif')
    const both = await Promise.all([decide('sara', id), decide('jamal', id)])
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409])
    await act('bushra', 'tpp.activate', { id: world.framework.enrolment.tpp.organisationId })
  })

  test('never the same person, not even in another browser', async () => {
    const id = await propose('saif')
    const elsewhere = await world.loggedIn('saif')
    expect((await elsewhere.go(at('/approvals'))).body).not.toContain(`/acts/proposal.approve`)
    for (const browser of [as('saif'), elsewhere]) {
      const csrf = csrfIn(await browser.go(at('/account')))
      const seen = await browser.ask(at('/acts/proposal.approve'), { form: { csrf, id } })
      expect([seen.status, wordsOf(seen).includes('You proposed this yourself')]).toEqual([403, true])
    }
    expect(await lastActs(1)).toMatchObject([{ act: 'tpps.block-all', outcome: 'refused', proposal: id }])
    expect(await blocked()).toBe(false)
    // Whoever proposed it may take it back.
    expect((await decide('saif', id, 'reject')).status).toBe(200)
    expect((await decide('sara', id)).status).toBe(409)
    expect(await lastActs(2)).toMatchObject([{ outcome: 'rejected' }, { outcome: 'refused' }])
  })

  test('nobody without the role of the act', async () => {
    const id = await propose('saif')
    for (const username of ['bushra', 'rashid']) expect((await decide(username, id)).status).toBe(403)
    expect((await decide('bushra', id, 'reject')).status).toBe(403)
    expect(await blocked()).toBe(false)
    expect((await decide('sara', id, 'reject')).status).toBe(200)
  })

  test('nobody when its time is over', async () => {
    const id = await propose('saif')
    // Nobody is idle for too long on the way there.
    for (const minutes of [29, 58]) {
      world.ahead(minutes)
      for (const browser of browsers.values()) await browser.ask(at('/account'))
    }
    world.ahead(61)
    expect((await decide('sara', id)).status).toBe(409)
    expect(wordsOf(await as('sara').go(at('/approvals')))).toContain('expired')
    expect(await blocked()).toBe(false)
  })

  test.each([
    ['keys.rotate', { use: 'sig' }],
    ['keys.retire', { kid: 'hub-sig' }],
  ])('%s is not even proposed where the keys are files, which nobody changes from here', async (name, given) => {
    const seen = await act('saif', name, given)
    expect([seen.status, wordsOf(seen).includes('are files of its configuration')]).toEqual([400, true])
    expect(await lastActs(1)).toMatchObject([{ act: name, outcome: 'refused', proposal: null }])
    const { rows } = await world.database.db.raw('select from portal_proposal where verb = ?', [name])
    expect(rows).toEqual([])
  })

  test('and what then fails has failed for good, with its reason', async () => {
    // As a release left it that did not look before.
    const { rows } = await world.database.db.raw(
      `insert into portal_proposal (verb, input, target, proposed_by, proposed_name, proposed_at, expires_at)
       values ('keys.rotate', '{"use":"sig"}', 'sig', 'somebody', 'Somebody', now(), now() + interval '1 hour') returning id`,
    )
    const id = String(rows[0].id)
    const seen = await decide('sara', id)
    expect([seen.status, wordsOf(seen).includes('are files of its configuration')]).toEqual([400, true])
    expect(wordsOf(await as('sara').go(at('/approvals')))).toMatch(/failed \( ?the keys of tenant aurora are files/)
    expect((await decide('sara', id)).status).toBe(409)
    expect(await lastActs(2)).toMatchObject([{ act: 'keys.rotate', outcome: 'failed' }, { outcome: 'refused' }])
  })

  test('of what never was proposed there is nothing to approve', async () => {
    for (const id of ['999999', 'x', '']) expect((await decide('sara', id)).status).toBe(404)
  })
})

describe('a consent', () => {
  const found = async (query: string) => {
    const { body } = await as('bushra').go(at(`/consents?${query}`))
    return [...body.matchAll(/href="\/consents\/([0-9a-f-]{36})"/g)].map(([, id]) => id)
  }

  test('is found by id, customer, account, TPP and state', async () => {
    const { authorized, awaiting, clientId } = seeded
    expect(await found('')).toEqual(expect.arrayContaining([authorized, awaiting]))
    expect(await found(`id=${authorized}`)).toEqual([authorized])
    expect(await found('customer=u-42')).toEqual([authorized])
    expect(await found('account=acc-1')).toEqual([authorized])
    expect(await found(`tpp=${clientId}&state=AwaitingAuthorization`)).toEqual([awaiting])
    for (const nothing of ['customer=u-43', 'account=%2E%2E', 'id=x', 'tpp=x', 'state=Consumed']) {
      expect([nothing, await found(nothing)]).toEqual([nothing, []])
    }
    const searched = (await world.acts()).filter((entry) => entry?.['act'] === 'consents searched')
    expect(searched).toMatchObject([{ target: 'u-42' }, { target: 'acc-1' }, { target: 'u-43' }])
  })

  test('is told in words, now and as it was, and whoever looks is on record', async () => {
    const path = `/consents/${seeded.authorized}`
    const page = wordsOf(await as('bushra').go(at(path)))
    expect(page).toContain('The customer agreed.')
    expect(page).toContain('How much is in your accounts ReadBalances')
    expect(page).toContain('acc-1')
    expect((await as('bushra').go(at(`${path}?at=2020-01-01T10:00`))).status).toBe(404)
    const { rows } = await world.database.db.raw(
      `select encode(bytes, 'escape') as entry from audit_entry where encode(bytes, 'escape') like '%consent-viewed%'`,
    )
    expect(rows.length).toBeGreaterThan(1)
    expect((await as('bushra').go(at('/consents/none'))).status).toBe(404)
  })

  test('is revoked for the customer, once', async () => {
    const path = `/consents/${seeded.authorized}`
    const page = await as('bushra').go(at(path))
    const done = await as('bushra').send(page, '/acts/consent.revoke', { revokedBy: 'LFI.InitiatedByUser' })
    expect(wordsOf(done)).toContain('It was ended before its time.')
    expect(wordsOf(done)).toMatch(/3 .* revoked revoked operator/)
    expect(done.body).not.toContain('/acts/consent.revoke')
    expect(await lastActs(1)).toMatchObject([
      { act: 'consent.revoke', before: 'Authorized, revision 2', after: 'Revoked, revision 3' },
    ])
    // What has ended stays as it is, whoever asks again.
    await act('bushra', 'consent.revoke', { id: seeded.authorized, revokedBy: 'LFI' })
    expect(await lastActs(1)).toMatchObject([{ before: 'Revoked, revision 3', after: 'Revoked, revision 3' }])
    expect((await act('bushra', 'consent.revoke', { id: seeded.awaiting, revokedBy: 'nobody' })).status).toBe(400)
  })
})

describe('an outage', () => {
  test('of the bank is announced in time, for the night, in time of the Gulf', async () => {
    const day = new Date(world.clock.now() + 5 * 86_400_000).toISOString().slice(0, 10)
    const given = { subject: 'lfi', startsAt: `${day}T02:30`, endsAt: `${day}T04:30`, reason: 'maintenance' }
    const done = await act('olfa', 'outage.plan', given, '/outages')
    expect(done.address).toBe(at('/outages?done=outage.plan'))
    const planned = new Date(`${day}T02:30:00+04:00`).toISOString()
    expect(done.body).toContain(`<time datetime="${planned}">`)
    const late = await act('olfa', 'outage.plan', { ...given, startsAt: `${day}T12:00`, endsAt: `${day}T13:00` })
    expect([late.status, wordsOf(late).includes('between 02:00 and 05:00')]).toEqual([400, true])
  })

  test('that is not taken stands in its form as it was typed, on no other page than one of theirs', async () => {
    const given = { subject: 'hub', startsAt: '2020-01-01T02:30', endsAt: 'x', reason: '"><b>storm' }
    const seen = await act('bushra', 'outage.plan', given, '/outages?done=outage.plan')
    expect(seen.status).toBe(400)
    for (const value of ['2020-01-01T02:30', 'x', '&quot;&gt;&lt;b&gt;storm']) {
      expect(seen.body.split(`value="${value}"`).length).toBe(2)
    }
    expect(seen.body).toContain('<option value="hub" selected>')
    // What was done before is not said once more, and of two forms only this one is as it was.
    expect([seen.body.includes('role="status"'), seen.body.includes('<b>storm')]).toEqual([false, false])
    for (const page of [
      '/people',
      '/nothing',
      await fileOnPage(),
      '/acts/outage.plan',
      '//evil.example',
      'https://evil.example/x',
    ]) {
      const elsewhere = await as('bushra').go(at('/account'))
      const form = { ...given, csrf: csrfIn(elsewhere), back: page }
      const answer = await as('bushra').ask(at('/acts/outage.plan'), { form })
      expect([page, answer.status, answer.headers['content-type']]).toEqual([page, 400, 'text/html; charset=utf-8'])
      expect([wordsOf(answer).includes('It was not done:'), answer.body.includes('evil')]).toEqual([true, false])
    }
  })
})

test('the session of somebody else is ended by security', async () => {
  const browser = await world.loggedIn('olfa')
  const csrf = csrfIn(await browser.go(at('/outages')))
  const mine = await as('saif').go(at('/people'))
  expect(wordsOf(mine)).toContain('Olfa Ben Salem')
  const handles = [...mine.body.matchAll(/name="handle" value="([^"]+)"/g)].map(([, handle]) => handle ?? '')
  for (const handle of handles) await act('saif', 'session.end', { handle }, '/people')
  expect((await browser.go(at('/'))).address).toContain('/login?because=ended')
  // A form that was open meanwhile is not taken, and leads back to its page; another site's, to the start.
  for (const [referer, back] of [
    [at('/outages?done=outage.end'), '/outages'],
    // Where a form was shown again there is no page to come back to.
    [at('/acts/outage.begin'), '/'],
    [at('//evil.example'), '/'],
    ['https://evil.example/outages', '/'],
    ['x', '/'],
  ] as const) {
    const form = { csrf, subject: 'hub', reason: 'a cable' }
    const { status, headers } = await browser.ask(at('/acts/outage.begin'), { form, headers: { referer } })
    const location = `/login?because=ended&back=${encodeURIComponent(back)}`
    expect([status, headers['location']]).toEqual([303, location])
  }
  expect(await lastActs(1)).toMatchObject([{ act: 'session.end' }])
  expect((await as('saif').ask(at('/'))).status).toBe(200)
  expect((await act('saif', 'session.end', { handle: handles[0] ?? '' })).status).toBe(404)
})

describe('the dashboard', () => {
  let watcher: Visitor
  beforeAll(async () => {
    await seedTraffic(world, 40)
    watcher = await world.loggedIn('rashid')
  })

  test('says what was called, how fast, and what waits', async () => {
    const seen = async () => wordsOf(await watcher.go(at('/')))
    // 704 and 700 ms, told to within 5 %.
    await expect.poll(seen, { timeout: 20_000, interval: 500 }).toContain('729 ms')
    const page = await seen()
    expect(page).toContain('40 calls, 2 of them failed (5xx).')
    // 4 of 40 were slower than half a second: 90 of 100 were not, and 95 should not be.
    expect(page).toMatch(/accounts 40 90 % missed 729 ms 3 ms 729 ms 1 ms 0 \/ 2/)
    expect(page).toMatch(/\d+ awaits the customer/)
    expect(page).toMatch(/0 outages that last|\d+ outages that last/)
  })

  test('draws it for those who do not see it as well, without a style of its own', async () => {
    const { body } = await watcher.go(at('/'))
    for (const id of ['traffic', 'speed']) {
      expect(body).toContain(`aria-labelledby="${id}-title ${id}-description"`)
      expect(body).toMatch(new RegExp(`<desc id="${id}-description">[^<]{10,}</desc>`))
    }
    expect(body).not.toMatch(/ style=|<style/)
  })
})
