/** Revocation lists: which count, for how long, and what they say of whom (RFC 5280 5). */
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Seconds, toInstant } from '../../src/clock.ts'
import type { RevocationConfig } from '../../src/config.ts'
import { createLog } from '../../src/log.ts'
import { readCrl } from '../../src/revocation/crl.ts'
import { createRevocation, type Revocation } from '../../src/revocation.ts'
import { type HandClock, handClock } from '../support/clock.ts'
import {
  CRLDistributionPointsExtension,
  createRoot,
  Extension,
  type Holder,
  KeyUsageFlags,
  type OddList,
} from '../support/odd-chains.ts'

const URL_OF = 'http://crl.example/issuing.crl'
let root: Holder
let issuing: Holder
let stranger: Holder
let good: Holder
let bad: Holder
beforeAll(async () => {
  root = await createRoot()
  issuing = await root.issue({ name: 'Issuing', authority: true })
  stranger = await createRoot({ name: 'Issuing' })
  good = await issuing.issue()
  bad = await issuing.issue()
})

const nodes = () => [root.node, issuing.node]
const read = (der: Buffer, at = Date.now()) => readCrl(der, nodes(), toInstant(at))

describe('a list', () => {
  test('names whom its authority has revoked', async () => {
    const result = read(await issuing.list([bad]))
    expect(result.ok && result.crl.serials.size).toBe(1)
    expect(read(await issuing.list([]))).toMatchObject({ ok: true })
    expect(read(await root.list([issuing]))).toMatchObject({ ok: true })
  })

  const critical = new Extension('1.2.3.4', true, new Uint8Array([5, 0]))
  test.each<[string, () => OddList, RegExp]>([
    ['is over', () => ({ thisUpdate: new Date(Date.now() - 9000), nextUpdate: new Date(Date.now() - 1) }), /over/],
    ['has no end', () => ({ nextUpdate: null }), /next one/],
    ['is of the future', () => ({ thisUpdate: new Date(Date.now() + 600_000) }), /future/],
    ['is signed by a stranger of the same name', () => ({ signedBy: stranger }), /not signed/],
    ['is signed by another authority', () => ({ signedBy: root }), /not signed/],
    ['is signed by a certificate that is no authority', () => ({ signedBy: good }), /not signed/],
    ['says something critical', () => ({ extensions: [critical] }), /critical/],
    ['says something critical of one certificate', () => ({ entryExtensions: [critical] }), /critical/],
    ['is a delta', () => ({ extensions: [new Extension('2.5.29.27', true, new Uint8Array([2, 1, 1]))] }), /partial/],
  ])('that %s is refused', async (_what, odd, why) => {
    expect(read(await issuing.list([bad], odd()))).toMatchObject({ ok: false, why: expect.stringMatching(why) })
  })

  test('that was changed, cut or is something else is refused', async () => {
    const der = await issuing.list([bad])
    const changed = Buffer.from(der)
    changed[changed.length - 3] = (changed.at(-3) ?? 0) ^ 1
    for (const other of [changed, der.subarray(0, 60), Buffer.from('<html>'), Buffer.alloc(0), issuing.node.raw]) {
      expect(read(other)).toMatchObject({ ok: false })
    }
  })

  test('of an authority that may not sign lists, or is over, is refused', async () => {
    const mute = await root.issue({ name: 'Mute', authority: true, keyUsage: KeyUsageFlags.keyCertSign })
    const over = await root.issue({ name: 'Over', authority: true, until: new Date(Date.now() - 1000) })
    for (const each of [mute, over]) {
      expect(readCrl(await each.list([]), [each.node], toInstant(Date.now()))).toMatchObject({ ok: false })
    }
  })
})

describe('a certificate', () => {
  let clock: HandClock
  let answers: Map<string, () => Promise<Buffer>>
  let asked: string[]
  let warnings: string[]
  let revocation: Revocation
  const open = async (changes: Partial<RevocationConfig> = {}): Promise<void> => {
    await revocation?.close()
    revocation = createRevocation({
      config: {
        crl: 'required',
        crlUrls: [URL_OF],
        refreshSeconds: 3600 as Seconds,
        believedSeconds: 1800 as Seconds,
        bytesMax: 65_536,
        ...changes,
      },
      ca: root.pem + issuing.pem,
      fetch: async (url) => {
        asked.push(url)
        return (answers.get(url) ?? (() => Promise.reject(new Error('refused'))))()
      },
      clock,
      log: createLog({ level: 'warn', name: 'test' }, { write: (line) => void warnings.push(line) }),
    })
    await revocation.refresh()
  }
  beforeEach(async () => {
    clock = handClock(Date.now())
    asked = []
    warnings = []
    const list = await issuing.list([bad])
    answers = new Map([[URL_OF, async () => list]])
  })
  afterEach(() => revocation.close())

  test('that is on the list is revoked, and another is good', async () => {
    await open()
    expect(revocation.standingOf(bad.node)).toBe('revoked')
    expect(revocation.standingOf(good.node)).toBe('good')
  })

  test('is undecided without a list, where one is required', async () => {
    answers.clear()
    await open()
    expect(revocation.standingOf(good.node)).toBe('unknown')
    expect(warnings).toEqual([expect.stringContaining('out of reach')])
    await open({ crl: 'when-available' })
    expect(revocation.standingOf(good.node)).toBe('good')
  })

  test('is undecided with a list of another authority only', async () => {
    const list = await root.list([])
    answers.set(URL_OF, async () => list)
    await open()
    expect(revocation.standingOf(good.node)).toBe('unknown')
  })

  test('is as the last list says while its source is down: so long, and no longer', async () => {
    await open()
    answers.clear()
    clock.advance(1_800_000)
    await revocation.refresh()
    expect(revocation.standingOf(good.node)).toBe('good')
    clock.advance(1)
    expect(revocation.standingOf(good.node)).toBe('unknown')
    // Whoever is revoked stays so.
    expect(revocation.standingOf(bad.node)).toBe('revoked')
  })

  test('is undecided once the list’s own time is over, whatever the operator believes', async () => {
    await open({ believedSeconds: 604_800 as Seconds })
    clock.advance(3_590_000)
    expect(revocation.standingOf(good.node)).toBe('good')
    clock.advance(20_000)
    expect(revocation.standingOf(good.node)).toBe('unknown')
  })

  test('is revoked, and is not any more, as the newest list says', async () => {
    await open()
    const empty = await issuing.list([], { thisUpdate: new Date(Date.now() + 2000) })
    answers.set(URL_OF, async () => empty)
    await revocation.refresh()
    expect(revocation.standingOf(bad.node)).toBe('good')
  })

  test('stays revoked when somebody sends the list of yesterday', async () => {
    await open()
    const older = await issuing.list([], { thisUpdate: new Date(Date.now() - 86_400_000) })
    answers.set(URL_OF, async () => older)
    await revocation.refresh()
    expect(revocation.standingOf(bad.node)).toBe('revoked')
    expect(warnings).toEqual([expect.stringContaining('older than the one before')])
  })

  test('of an authority that is itself revoked is revoked', async () => {
    const list = await root.list([issuing])
    answers.set('http://crl.example/root.crl', async () => list)
    await open({ crlUrls: [URL_OF, 'http://crl.example/root.crl'] })
    expect(revocation.standingOf(good.node)).toBe('revoked')
  })

  test('leads to its authority’s list by itself, which is read once', async () => {
    const points = new CRLDistributionPointsExtension([URL_OF])
    const pointing = await issuing.issue({ more: [points] })
    const gone = await issuing.issue({ more: [points] })
    const list = await issuing.list([gone])
    answers.set(URL_OF, async () => list)
    await open({ crlUrls: [] })
    expect(revocation.standingOf(pointing.node)).toBe('unknown')
    await revocation.refresh()
    expect(revocation.standingOf(pointing.node)).toBe('good')
    expect(revocation.standingOf(gone.node)).toBe('revoked')
    expect(asked).toEqual([URL_OF])
  })

  test('does not make the hub read lists without end, nor other things than http', async () => {
    answers.clear()
    await open({ crlUrls: [] })
    for (let each = 0; each < 20; each += 1) {
      const urls = [`http://crl.example/${each}`, 'ldap://crl.example/x', 'file:///etc/passwd']
      const pointing = await issuing.issue({ more: [new CRLDistributionPointsExtension(urls)] })
      revocation.standingOf(pointing.node)
    }
    expect(new Set(asked).size).toBe(16)
    expect(asked.every((url) => url.startsWith('http://'))).toBe(true)
  })
})
