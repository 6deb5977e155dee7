/** What ended long ago goes into files and from the database: exactly once, whatever breaks, and nothing that must stay. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import { type Archived, archive, checkArchive, type Disk, findInArchive, openDisk } from '../../src/archive/index.ts'
import { type Audit, createAudit } from '../../src/audit/index.ts'
import { type Instant, toInstant } from '../../src/clock.ts'
import { type Db, openDatabase, query } from '../../src/db.ts'
import type { ConsentId } from '../../src/ids.ts'
import { createLog } from '../../src/log.ts'
import { falajHere } from '../cli/commands.ts'
import { type ConfigFiles, writeConfigFiles } from '../support/config-files.ts'
import { databaseUrl } from '../support/database-url.ts'
import { failing, InjectedFault } from '../support/faulty.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { AUTHORIZE, CLIENT, LFI, NOW, TENANT, type TestStore, testStore } from '../unit/consent-store/support.ts'

const LONG_AGO = toInstant('2019-05-01T08:00:00Z')
const BEFORE = toInstant('2021-03-01T00:00:00Z')
const DAY_MS = 86_400_000

let database: TestDatabase
let hub: TestStore
let audit: Audit
let folder: string
/** Those that may go, and those that may not with the reason. */
const old: ConsentId[] = []
const kept = new Map<string, ConsentId>()
beforeAll(async () => {
  database = await createTestDatabase()
  hub = testStore(database.db)
  folder = join(mkdtempSync(join(tmpdir(), 'falaj-archive-')), 'aurora')
  const log = createLog({ level: 'silent', name: 'test' })
  audit = createAudit({ db: database.db, tenantId: TENANT, clock: hub.clock, log })
  for (let number = 0; number < 7; number += 1) old.push(await ended(LONG_AGO))
  for (const id of old.slice(0, 2)) await paid(id, { updated: LONG_AGO })
  await asked('q-ended', 'Completed', LONG_AGO)
  await asked('q-open', 'Pending', LONG_AGO)
  await asked('q-young', 'Completed', NOW)
  for (const [why, make] of Object.entries(KEPT)) kept.set(why, await make())
}, 60_000)
afterAll(async () => {
  await audit?.close()
  await hub?.close()
  await database?.close()
  rmSync(join(folder, '..'), { recursive: true, force: true })
})

async function ended(at: Instant, options: Parameters<TestStore['lodge']>[0] = {}): Promise<ConsentId> {
  hub.clock.set(at)
  const id = await hub.lodge({ type: 'service-initiation', webhook: 'active', ...options })
  hub.clock.advance(1000)
  await hub.store.patchByLfi(id, AUTHORIZE, LFI)
  await hub.store.revoke(id, { revokedBy: 'LFI' }, LFI)
  await query(database.db, "update outbox set state = 'delivered', settled_at = at where consent_id = ?", [id])
  return id
}

type Of = { readonly updated: Instant; readonly state?: string; readonly status?: string }
async function paid(id: ConsentId, { updated, state = 'refused', status }: Of): Promise<void> {
  const Amount = { Amount: '25.00', Currency: 'AED' }
  const made = status === undefined ? null : new Date(updated)
  const { rows } = await query<{ id: string }>(
    database.db,
    `insert into payment_log (consent_id, client_id, organisation_id, payment_type, idempotency_key, account_id, psu, tpp,
       request_body, request_headers, access_token_hash, interaction_id, created_at, updated_at, revision, state,
       answer_status, attempt_until, payment_id, status, made_at, status_changed_at)
     values (?, ?, 'o', 'cbuae-payment', ?, 'acc-1', '{"userId": "u-42"}', '{}', ?, '{}', 'h', 'i', ?, ?, 1, ?, ?, ?, ?, ?, ?, ?)
     returning id`,
    [
      ...[id, CLIENT, id, JSON.stringify({ Data: { Instruction: { Amount } } }), new Date(LONG_AGO), new Date(updated)],
      ...[state, state === 'open' ? null : 400, state === 'open' ? new Date(updated) : null],
      ...[status === undefined ? null : id, status ?? null, made, made],
    ],
  )
  await trail('payment', rows[0]?.id ?? '')
}
const trail = (resource: string, logId: string) =>
  query(
    database.db,
    `insert into resource_trail (resource, log_id, revision, at, change, status_to, changed, caller_kind)
     values (?, ?, 1, ?, 'asked', 'open', '{}', 'tpp')`,
    [resource, logId, new Date(LONG_AGO)],
  )

async function asked(resourceId: string, status: string, at: Instant): Promise<void> {
  const { rows } = await query<{ id: string }>(
    database.db,
    `insert into service_request (kind, resource_id, client_id, organisation_id, echoed, status, created_at,
       status_changed_at, updated_at, revision)
     values ('fx-quote', ?, ?, 'o', '{}', ?, ?, ?, ?, 1) returning id`,
    [resourceId, CLIENT, status, ...[at, at, at].map((each) => new Date(each))],
  )
  await trail('fx-quote', rows[0]?.id ?? '')
}

const KEPT: Readonly<Record<string, () => Promise<ConsentId>>> = {
  'it is in force': async () => {
    hub.clock.set(LONG_AGO)
    return hub.authorized()
  },
  'it awaits authorization, and the clock has ended it': async () => {
    hub.clock.set(LONG_AGO)
    return hub.lodge()
  },
  'it ended later': () => ended(toInstant(BEFORE + 1000)),
  'it has changed since': async () => {
    const id = await ended(LONG_AGO)
    await query(database.db, 'update consent set updated_at = ? where id = ?', [new Date(NOW), id])
    return id
  },
  'a payment has no answer': async () => {
    const id = await ended(LONG_AGO)
    await paid(id, { updated: LONG_AGO, state: 'open' })
    return id
  },
  'a payment is pending': async () => {
    const id = await ended(LONG_AGO)
    await paid(id, { updated: LONG_AGO, state: 'made', status: 'Pending' })
    return id
  },
  'a payment is younger': async () => {
    const id = await ended(LONG_AGO)
    await paid(id, { updated: NOW })
    return id
  },
  'a notice is on its way': async () => {
    const id = await ended(LONG_AGO)
    await query(database.db, "update outbox set state = 'waiting', settled_at = null where consent_id = ?", [id])
    return id
  },
  'its renewal is in force': async () => {
    const id = await ended(LONG_AGO)
    const renewal = await hub.lodge({ type: 'service-initiation', members: { BaseConsentId: id } })
    expect((await hub.store.find(renewal))?.baseConsentId).toBe(id)
    return id
  },
}

const run = async (given: { db?: Db; disk?: Disk; before?: Instant } = {}): Promise<readonly Archived[]> => {
  const { db = database.db, disk = openDisk(folder), before = BEFORE } = given
  const of = { db, tenantId: TENANT, audit, clock: hub.clock, disk, rest: async () => {} }
  const done: Archived[] = []
  for await (const each of archive(of, { before, batch: 3 })) done.push(each)
  return done
}
const check = (at: string = folder, db: Db | null = database.db) => checkArchive(openDisk(at), db)
const idsIn = async (db: Db): Promise<ReadonlySet<string>> =>
  new Set((await query<{ id: string }>(db, 'select id from consent')).rows.map(({ id }) => id))
const committed = async () =>
  (
    await query<{ file: string; number: string; manifest_sha256: string }>(
      database.db,
      'select * from archive_batch order by number',
    )
  ).rows
const consentsIn = (file: string): readonly string[] =>
  gunzipSync(readFileSync(join(folder, file)))
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { source: string; row: { id: string } })
    .flatMap(({ source, row }) => (source === 'consent' ? [row.id] : []))

/** Each is in the database or in one committed batch, and in no two places. */
async function expectEachOnce(): Promise<void> {
  const there = await idsIn(database.db)
  const archived = (await committed()).flatMap(({ file }) => consentsIn(file))
  for (const id of old) {
    expect([there.has(id), archived.filter((each) => each === id).length].join(), id).toMatch(/^(true,0|false,1)$/)
  }
  for (const [why, id] of kept) expect(there.has(id), why).toBe(true)
}

describe('a run that dies', () => {
  test('around each write of its files', async () => {
    mkdirSync(folder)
    const crashes = ['nothing', 'beside', 'at its place'] as const
    for (const name of ['.ndjson.gz', '.manifest.json']) {
      for (const left of crashes) {
        const disk = openDisk(folder)
        const dying: Disk = {
          ...disk,
          write: async (file, bytes) => {
            if (!file.endsWith(name)) return disk.write(file, bytes)
            if (left === 'beside') writeFileSync(join(folder, `${file}.part`), bytes.subarray(0, 10))
            if (left === 'at its place') await disk.write(file, bytes)
            throw new InjectedFault(name)
          },
        }
        await expect(run({ disk: dying })).rejects.toThrow(InjectedFault)
        await expectEachOnce()
      }
    }
    // The last one left a whole batch behind, which is a copy and is said to be.
    const { ok, uncommitted } = await check()
    expect([ok, uncommitted.length]).toEqual([true, 1])
  })

  test('at any statement, or at the commit and after, loses nothing and takes nothing twice', async () => {
    let at = 0
    for (let isStruck = true; isStruck; ) {
      at += 1
      for (const when of ['before', 'after'] as const) {
        const broken = failing(database.db, { at, when })
        await run({ db: broken.db }).catch((error: unknown) => {
          if (!broken.struck()) throw error
        })
        isStruck = broken.struck()
        await expectEachOnce()
      }
    }
    // The last one got through to the end: that is more statements than one batch has.
    expect(at).toBeGreaterThan(15)
  })
})

describe('a run that comes to its end', () => {
  test('has taken all that may go and nothing else, and says so in the audit log', async () => {
    await expectEachOnce()
    expect((await committed()).length).toBeGreaterThan(2)
    const there = await idsIn(database.db)
    expect(old.filter((id) => there.has(id))).toEqual([])
    expect(await run()).toEqual([])
    const left = await query<{ resource_id: string }>(database.db, 'select resource_id from service_request order by 1')
    expect(left.rows.map(({ resource_id }) => resource_id)).toEqual(['q-open', 'q-young'])
    for (const table of ['consent_version', 'consent_trail', 'payment_log', 'payment_tally', 'outbox']) {
      const { rowCount } = await query(database.db, `select from ${table} where consent_id = any(?)`, [old])
      expect(rowCount, table).toBe(0)
    }
    const orphans = await query(
      database.db,
      `select from resource_trail t where not exists (select from payment_log where id = t.log_id)
       and not exists (select from service_request where id = t.log_id)`,
    )
    expect(orphans.rowCount).toBe(0)
    const tallies = await query<{ sums: string[] }>(
      database.db,
      `select array[(select sum(delta) from consent_tally), (select sum(delta) from consent_slot where list = 'created'
         and span = 22), (select count(*) from consent)]::text[] as sums`,
    )
    expect(new Set(tallies.rows[0]?.sums).size).toBe(1)
    const { rows } = await query<{ bytes: Buffer }>(database.db, 'select bytes from audit_entry order by id')
    const told = rows.map(({ bytes }) => JSON.parse(bytes.toString()) as { event?: string; detail?: string })
    const digests = told.flatMap(({ event, detail }) => (event === 'archived' ? [detail?.slice(-64)] : []))
    expect(digests).toEqual((await committed()).map(({ manifest_sha256 }) => manifest_sha256))
  })

  test('left an archive that is whole, for nobody else to read, in which one is found with all that was its own', async () => {
    expect(await check()).toEqual({
      ...{ ok: true, faults: [], uncommitted: [] },
      ...{ first: 1, batches: (await committed()).length, consents: old.length },
    })
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o077, name).toBe(0)
    const [found] = await findInArchive(openDisk(folder), old[0] ?? '')
    const counted = Object.groupBy(found?.lines ?? [], ({ source }) => source)
    expect(Object.fromEntries(Object.entries(counted).map(([source, lines]) => [source, lines?.length]))).toEqual({
      ...{
        consent: 1,
        consent_version: 3,
        consent_trail: 3,
        payment_log: 1,
        payment_tally: 1,
        resource_trail: 1,
        outbox: 3,
      },
    })
    const [quote] = await findInArchive(openDisk(folder), 'q-ended')
    expect(quote?.lines.map(({ source }) => source)).toEqual(['service_request', 'resource_trail'])
    expect(await findInArchive(openDisk(folder), 'nobody')).toEqual([])
  })
})

describe('an archive in which something was changed is found out:', () => {
  const first = () => readdirSync(folder).filter((name) => /^archive-.*-00000001\./.test(name))
  const inFirst = (at: string, kind: string): string =>
    join(at, first().find((name) => name.endsWith(kind)) ?? expect.fail(kind))
  const rewrite = (file: string, change: (text: string) => string): void => {
    const isPacked = file.endsWith('.gz')
    const text = isPacked ? gunzipSync(readFileSync(file)).toString() : readFileSync(file, 'utf8')
    const changed = change(text)
    expect(changed).not.toBe(text)
    writeFileSync(file, isPacked ? gzipSync(changed) : changed)
  }
  const removeBatch = (at: string, number: number): void => {
    for (const name of readdirSync(at).filter((each) => each.includes(`-0000000${number}.`))) rmSync(join(at, name))
  }
  const CASES: readonly (readonly [string, (at: string) => void, RegExp, offline?: 'only the database knows'])[] = [
    ['a file is gone', (at) => rmSync(inFirst(at, '.gz')), /\.gz is not there$/],
    ['a manifest is gone', (at) => rmSync(inFirst(at, '.json')), /\.gz has no manifest/],
    [
      'a letter of a line',
      (at) => rewrite(inFirst(at, '.gz'), (text) => text.replace('u-42', 'u-43')),
      /not what its manifest/,
    ],
    [
      'a line is gone',
      (at) => rewrite(inFirst(at, '.gz'), (text) => text.slice(text.indexOf('\n') + 1)),
      /not what its manifest/,
    ],
    [
      'a digest in a manifest',
      (at) => rewrite(inFirst(at, '.json'), (text) => text.replace(/"sha256": "./, '"sha256": "x')),
      /not what its manifest/,
    ],
    [
      'a date in a manifest',
      (at) => rewrite(inFirst(at, '.json'), (text) => text.replace('"olderThan": "2', '"olderThan": "1')),
      /does not follow|not the one that was recorded/,
    ],
    ['a batch is gone from the middle', (at) => removeBatch(at, 2), /there is a gap/],
    [
      'the last batch is gone',
      (at) => removeBatch(at, readdirSync(at).length / 2),
      /was recorded and is not here/,
      'only the database knows',
    ],
    [
      'another digest is recorded',
      (at) => rewrite(inFirst(at, '.json'), (text) => `${text} `),
      /does not follow|was recorded/,
    ],
    ['a manifest is none', (at) => writeFileSync(inFirst(at, '.json'), '{}'), /is no manifest/],
  ]

  test.for(CASES)('%s', async ([, change, fault, offline]) => {
    const copy = mkdtempSync(join(tmpdir(), 'falaj-archive-forged-'))
    cpSync(folder, copy, { recursive: true })
    change(copy)
    const verdict = await check(copy)
    expect([verdict.ok, verdict.faults.join('\n')]).toEqual([false, expect.stringMatching(fault)])
    // Without the database only what nobody could see from the files is missed.
    expect((await check(copy, null)).ok).toBe(offline !== undefined)
    rmSync(copy, { recursive: true })
  })
})

describe('the database itself', () => {
  const take = (changes: { before?: Date; ids?: string[]; place?: number; db?: Db }) => {
    const { before = new Date(BEFORE), ids = [...kept.values()].slice(0, 1), place = 99, db = database.db } = changes
    return query(db, "select archive_take(?, 'f', ?, ?, ?::text[], '{}', '{}', '{}', now())", [
      ...[place, 'a'.repeat(64), before, ids],
    ])
  }
  test('lets nothing go that is young, that may not, or that was not written', async () => {
    const place = (await committed()).length + 1
    await expect(take({ before: new Date(Date.now() - 364 * DAY_MS) })).rejects.toThrow('younger than a year')
    await expect(take({})).rejects.toThrow('not the next one')
    for (const [why, id] of kept)
      await expect(take({ place, ids: [id] }), why).rejects.toThrow('not all of this may go')
    const free = await ended(LONG_AGO)
    await expect(take({ place, ids: [free] })).rejects.toThrow('would go')
    expect(await hub.store.find(free)).not.toBeNull()
    await expect(query(database.db, 'delete from consent_trail where consent_id = ?', [free])).rejects.toThrow(
      'only ever added',
    )
  })

  test('lets the account of a running hub do none of it', async () => {
    const db = openDatabase({ url: database.url, poolMax: 1, applicationName: 'test-hub' })
    try {
      await expect(take({ db })).rejects.toThrow('permission denied for function archive_take')
      await expect(query(db, "insert into archive_going values ('x')")).rejects.toThrow('permission denied')
      await expect(query(db, 'delete from archive_batch')).rejects.toThrow('permission denied')
      expect((await check(folder, db)).ok).toBe(true)
    } finally {
      await db.destroy()
    }
  })

  test('lets one archive at a time', async () => {
    await database.db.transaction(async (tx) => {
      await tx.raw('select pg_advisory_xact_lock(1178692971)')
      await expect(run()).rejects.toThrow('this tenant is being archived already')
    })
  })
})

describe('falaj archive', () => {
  let files: ConfigFiles
  beforeAll(async () => {
    files = await writeConfigFiles()
    files.write({
      deployment: { ...files.deployment(), environment: 'sandbox' },
      tenant: { ...files.tenant(), id: TENANT },
    })
    const { rows } = await query<{ name: string }>(database.db, 'select current_database() as name')
    vi.stubEnv('EXAMPLE_DATABASE_URL', database.url.reveal())
    vi.stubEnv('EXAMPLE_OWNER_URL', databaseUrl(inject('postgresAdminUrl'), rows[0]?.name ?? '').reveal())
  })
  afterAll(() => {
    vi.unstubAllEnvs()
    files.close()
  })
  const here = (...args: string[]) => falajHere(['archive', ...args])
  const about = () => ['--config', files.deploymentFile, '--tenant', TENANT]

  test('runs as the owner, checks, finds, and refuses what the policy keeps', async () => {
    const id = await ended(LONG_AGO)
    const to = join(folder, '..', 'other')
    expect(await here('run', ...about(), '--to', to, '--older-than', '1800d')).toEqual({
      ...{ status: 1, out: '' },
      err: `${JSON.stringify({ error: { code: 'Refused', message: '--older-than is less than the policy of this tenant keeps (retention.archiveYears)' } })}\n`,
    })
    expect(existsSync(to)).toBe(false)
    const ran = await here('run', ...about(), '--to', to)
    expect([ran.status, ran.err, JSON.parse(ran.out)]).toEqual([
      0,
      '',
      expect.objectContaining({ number: (await committed()).length, lines: expect.objectContaining({ consent: 3 }) }),
    ])
    const checked = await here('check', to, ...about())
    expect([checked.status, JSON.parse(checked.out)]).toMatchObject([0, { ok: true, batches: 1, consents: 3 }])
    const found = await here('find', id, to)
    expect(JSON.parse(found.out)).toMatchObject([
      { lines: expect.arrayContaining([expect.objectContaining({ source: 'consent' })]) },
    ])
    expect((await here('find', 'nobody', to)).status).toBe(1)
    rmSync(join(to, readdirSync(to).find((name) => name.endsWith('.gz')) ?? ''))
    expect((await here('check', to)).status).toBe(1)
  })
})
