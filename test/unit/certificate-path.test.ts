/** Paths that are wrong in one way each, beside the right one (RFC 5280 6). */
import { beforeAll, describe, expect, test } from 'vitest'
import { createPathBuilder } from '../../src/certificate-path.ts'
import { type Instant, toInstant } from '../../src/clock.ts'
import { createRoot, ExtendedKeyUsage, Extension, type Holder, KeyUsageFlags, type Odd } from '../support/odd-chains.ts'

const now = (): Instant => toInstant(Date.now())
const DAY_MS = 86_400_000
const past = new Date(Date.now() - DAY_MS)
const future = new Date(Date.now() + DAY_MS)

let root: Holder
let issuing: Holder
let leaf: Holder
beforeAll(async () => {
  root = await createRoot({ pathLength: 1 })
  issuing = await root.issue({ name: 'Odd Issuing', authority: true, pathLength: 0 })
  leaf = await issuing.issue()
})

const isBuilt = (holder: Holder, sent: readonly Holder[], ca = root.pem, at = now()): boolean =>
  createPathBuilder(ca).build(
    holder.node,
    sent.map(({ node }) => node),
    at,
  ).ok

describe('a path', () => {
  test('is found over an authority that came along, or that the operator has', () => {
    expect(isBuilt(leaf, [issuing])).toBe(true)
    expect(isBuilt(leaf, [], root.pem + issuing.pem)).toBe(true)
  })

  test('is valid when all of it is', async () => {
    const until = new Date(Math.floor(Date.now() / 1000) * 1000 + 60_000)
    const short = await root.issue({ name: 'Short', authority: true, until })
    const built = createPathBuilder(root.pem).build((await short.issue()).node, [short.node], now())
    expect(built.ok && built.path.until).toBe(until.getTime())
    expect(built.ok && built.path.certificates).toHaveLength(3)
  })

  test('is found whatever else came along, in any order', async () => {
    const stranger = await createRoot({ name: 'Odd Root' })
    const sameName = await stranger.issue({ name: 'Odd Issuing', authority: true })
    expect(isBuilt(leaf, [stranger, sameName, leaf, root, issuing])).toBe(true)
  })

  test('is not found without the authority in between, or without a self-signed one to end at', () => {
    expect(isBuilt(leaf, [])).toBe(false)
    expect(isBuilt(leaf, [root])).toBe(false)
    expect(isBuilt(leaf, [issuing, root], issuing.pem)).toBe(false)
  })

  test('does not end at who brought its own root', async () => {
    const stranger = await createRoot({ name: 'Odd Root' })
    const theirs = await stranger.issue({ name: 'Odd Issuing', authority: true })
    expect(isBuilt(await theirs.issue(), [theirs, stranger])).toBe(false)
  })

  const LEAVES: readonly [string, Odd][] = [
    ['is an authority', { authority: true, purposes: [ExtendedKeyUsage.clientAuth] }],
    ['is for servers', { purposes: [ExtendedKeyUsage.serverAuth] }],
    ['may not sign', { keyUsage: KeyUsageFlags.keyEncipherment }],
    ['is over', { until: past, from: new Date(past.getTime() - DAY_MS) }],
    ['has not begun', { from: future, until: new Date(future.getTime() + DAY_MS) }],
    ['has a short RSA key', { rsaBits: 1024 }],
    ['is signed with SHA-1', { hash: 'SHA-1' }],
    ['says something critical that nobody knows', { more: [new Extension('1.2.3.4.5', true, new Uint8Array([5, 0]))] }],
    ['has one extension twice', { more: [new Extension('2.5.29.19', true, new Uint8Array([0x30, 0]))] }],
  ]
  test.each(LEAVES)('is not found for a leaf that %s', async (_what, odd) => {
    const bad = await issuing.issue(odd).catch(() => null)
    if (bad === null) throw new Error('not made')
    const built = createPathBuilder(root.pem).build(bad.node, [issuing.node], now())
    const isInTime = built.ok && built.path.from <= now() && now() < built.path.until
    expect(isInTime).toBe(false)
  })

  test('is found for a leaf whose extensions do not narrow it', async () => {
    expect(isBuilt(await issuing.issue({ keyUsage: null }), [issuing])).toBe(true)
    const harmless = new Extension('1.2.3.4.5', false, new Uint8Array([5, 0]))
    expect(isBuilt(await issuing.issue({ more: [harmless] }), [issuing])).toBe(true)
    expect(isBuilt(await issuing.issue({ rsaBits: 2048 }), [issuing])).toBe(true)
  })

  const AUTHORITIES: readonly [string, Odd][] = [
    ['is none', { authority: false }],
    ['may not certify', { authority: true, keyUsage: KeyUsageFlags.cRLSign }],
    ['is over', { authority: true, until: past, from: new Date(past.getTime() - DAY_MS) }],
    ['has not begun', { authority: true, from: future }],
    ['is signed with SHA-1', { authority: true, hash: 'SHA-1' }],
    ['says something critical', { authority: true, more: [new Extension('1.2.3.4.5', true, new Uint8Array([5, 0]))] }],
  ]
  test.each(AUTHORITIES)('is not found over an authority that %s', async (_what, odd) => {
    const bad = await root.issue({ name: 'Bad', until: new Date(Date.now() + 3 * DAY_MS), ...odd })
    expect(isBuilt(await bad.issue(), [bad])).toBe(false)
  })

  test('is not longer than the authorities in it allow', async () => {
    const below = await issuing.issue({ name: 'Below', authority: true })
    // `issuing` may certify no authority.
    expect(isBuilt(await below.issue(), [below, issuing])).toBe(false)
    const wide = await root.issue({ name: 'Wide', authority: true })
    const under = await wide.issue({ name: 'Under', authority: true })
    // The root allows one authority below it, and here are two.
    expect(isBuilt(await under.issue(), [under, wide])).toBe(false)
    expect(isBuilt(await wide.issue(), [wide])).toBe(true)
  })

  test('is not searched for ever', async () => {
    const same = await Promise.all(Array.from({ length: 30 }, () => createRoot({ name: 'Loop' })))
    const [first] = same
    if (first === undefined) throw new Error('none')
    expect(isBuilt(await first.issue(), same)).toBe(false)
  })
})
