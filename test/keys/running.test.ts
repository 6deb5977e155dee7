/**
 * Two processes of a hub that keeps its keys in its database, over their real listeners, while an operator changes the
 * keys by command. What a client notices of it is nothing.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { CompactEncrypt, importJWK, type JWK } from 'jose'
import * as oidc from 'openid-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { discover, loadSigningKey, type Server } from '../../sandbox/tpp/profile.ts'
import { createTransport } from '../../sandbox/tpp/transport.ts'
import { SETTLE_MS } from '../../src/keys/key.ts'
import { compact } from '../auth-server/support/jws.ts'
import { type Draft, send, setField } from '../auth-server/support/tpp.ts'
import type { Answer } from '../auth-server/support/wire.ts'
import { blockIn } from '../docs/guide.ts'
import { falaj } from '../support/cli.ts'
import { type StoredHub, startStoredHub } from './support/stored-hub.ts'

const BOOT_MS = 180_000
/** Time for a process to start, for two to look, and for a client to fetch, also on a busy machine. */
const AHEAD_SECONDS = 15
const SOON_MS = 13_000
const RESOURCES = '/open-finance/account-information/v2.1'

let hub: StoredHub
beforeAll(async () => {
  hub = await startStoredHub({ publishAheadSeconds: AHEAD_SECONDS })
}, BOOT_MS)
afterAll(() => hub?.close(), BOOT_MS)

const kidOf = (jws: unknown): string => {
  const header = Buffer.from(String(jws).split('.')[0] ?? '', 'base64url').toString('utf8')
  return (JSON.parse(header) as { readonly kid: string }).kid
}
const atBoth = <T>(work: (node: 'first' | 'second') => Promise<T>) => Promise.all([work('first'), work('second')])

function to(node: 'first' | 'second', draft: Draft): Draft {
  if (node === 'first') return draft
  const { url, headers } = hub.atSecond(draft.url)
  return Object.assign(draft, { url, headers: { ...draft.headers, ...headers } })
}
const tokenAt = (node: 'first' | 'second') => send(to(node, hub.tpp.clientCredentials('accounts')))
function readAt(node: 'first' | 'second', accessToken: string): Promise<Answer> {
  const target = `${hub.server.rs}${RESOURCES}/accounts`
  const { url, headers } = node === 'first' ? { url: target, headers: {} } : hub.atSecond(target)
  return hub.tpp.wire.send(url, {
    headers: { ...headers, authorization: `Bearer ${accessToken}`, accept: 'application/jwt' },
  })
}
const refreshed = async (refreshToken: string) => (await send(hub.tpp.refresh(refreshToken))).json

/** The library that the sandbox TPP is made of; id_tokens are verified with the published keys. */
async function openidClient(): Promise<Server & { close(): Promise<void> }> {
  const { clientId, redirectUris, transport: t, signing } = hub.tpp.client
  const settings = {
    trustFrameworkUrl: hub.trustFrameworkUrl,
    ca: readFileSync(hub.caFile, 'utf8'),
    application: {
      clientId,
      redirectUri: redirectUris[0] ?? '',
      transport: { certFile: t.certificateFile, keyFile: t.keyFile },
      signing,
    },
  }
  const transport = createTransport(settings)
  const server = await discover(
    {
      code: 'aurora',
      organisationId: '',
      name: 'Aurora',
      issuer: hub.server.issuer,
      discoveryUrl: `${hub.server.issuer}/.well-known/openid-configuration`,
      accountInformationUrl: `${hub.server.rs}${RESOURCES}`,
    },
    { settings, transport, signing: await loadSigningKey(settings.application) },
  )
  return { ...server, close: () => transport.close() }
}

describe('the published keys', () => {
  test('are where discovery says, may be kept no longer than they are published ahead, and are public', async () => {
    const { json } = await hub.anonymous.send(`${hub.server.issuer}/.well-known/openid-configuration`)
    expect(json['jwks_uri']).toBe(`${hub.server.issuer}/jwks`)
    for (const { answer } of await hub.published()) {
      expect(answer.headers['cache-control']).toBe(`max-age=${AHEAD_SECONDS}`)
      const keys = answer.json['keys'] as readonly object[]
      expect(keys.length).toBeGreaterThanOrEqual(2)
      for (const key of keys) expect(Object.keys(key).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use'])
    }
  })
})

describe('a rotation', () => {
  // The two of these wait for the same quarter of a minute, each for the key that it has made.
  test.concurrent('goes by without a lost request, a refused token or a signature that a client cannot verify', async ({
    expect,
  }) => {
    const [{ kids }] = await hub.published()
    const [former = ''] = kids
    const { refreshToken, idToken } = await hub.refreshToken()
    const before = String((await refreshed(refreshToken))['access_token'])
    expect([kidOf(before), kidOf(idToken)]).toEqual([former, former])
    const early = await openidClient()
    await oidc.refreshTokenGrant(early.config, refreshToken)

    const calls: { sentAt: number; answeredAt: number; node: string; answer: Answer; read: Answer }[] = []
    let over = false
    const traffic = atBoth(async (node) => {
      while (!over) {
        const sentAt = Date.now()
        const answer = await tokenAt(node)
        const answeredAt = Date.now()
        calls.push({ sentAt, answeredAt, node, answer, read: await readAt(node, before) })
        await pause(150)
      }
    })
    try {
      // As the guide for operators has it; which hub it is, the rig says.
      const [, , ...typed] = blockIn('docs/operator.md', 'falaj keys rotate').trim().split(' ')
      expect(typed.splice(1, 4)).toEqual(['--config', '/etc/falaj/deployment.json', '--tenant', 'example'])
      const rotated = await hub.keys(...(typed as ['rotate', ...string[]]))
      expect([rotated.status, rotated.err]).toEqual([0, ''])
      const [, later = '', from = '', replaced] =
        /^(\S+) is active from (\S+), in place of (\S+)\n$/.exec(rotated.out) ?? []
      expect(replaced).toBe(former)
      const activatesAt = Date.parse(from)

      await expect
        .poll(async () => (await hub.published()).map(({ kids: all }) => all.includes(later)), { timeout: SOON_MS })
        .toEqual([true, true])
      expect(Date.now()).toBeLessThan(activatesAt)
      const punctual = await openidClient()
      await oidc.refreshTokenGrant(punctual.config, refreshToken)
      const kept = oidc.getJwksCache(punctual.config)
      expect(kept?.jwks.keys.map(({ kid }) => kid)).toContain(later)

      await pause(activatesAt - Date.now() + 1_500)
      over = true
      await traffic
      expect(new Set(calls.flatMap(({ answer, read }) => [answer.status, read.status]))).toEqual(new Set([200]))
      for (const node of ['first', 'second']) {
        const mine = calls.filter((call) => call.node === node)
        const kidsWhere = (when: (call: (typeof calls)[number]) => boolean) =>
          new Set(mine.filter(when).map(({ answer }) => kidOf(answer.json['access_token'])))
        expect(kidsWhere(({ answeredAt }) => answeredAt < activatesAt)).toEqual(new Set([former]))
        expect(kidsWhere(({ sentAt }) => sentAt > activatesAt)).toEqual(new Set([later]))
        expect(kidOf(mine.at(-1)?.read.text)).toBe(later)
      }

      // A client that fetched the keys in time needs no second look; one that did not, looks once more.
      await oidc.refreshTokenGrant(punctual.config, refreshToken)
      expect(oidc.getJwksCache(punctual.config)?.uat).toBe(kept?.uat)
      const stale = oidc.getJwksCache(early.config)
      expect(stale?.jwks.keys.map(({ kid }) => kid)).not.toContain(later)
      const late = await openidClient()
      const minutesAgo = Math.floor(Date.now() / 1000) - 120
      oidc.setJwksCache(late.config, { jwks: stale?.jwks ?? { keys: [] }, uat: minutesAgo })
      await oidc.refreshTokenGrant(late.config, refreshToken)
      expect(oidc.getJwksCache(late.config)?.jwks.keys.map(({ kid }) => kid)).toContain(later)
      await Promise.all([early, punctual, late].map((each) => each.close()))

      // The whole journey under the new key, and the old token is still good: at both.
      const { idToken: newer } = await hub.refreshToken()
      expect(kidOf(newer)).toBe(later)
      expect((await atBoth((node) => readAt(node, before))).map(({ status }) => status)).toEqual([200, 200])
      const [first, second] = await hub.published()
      expect(first.kids.toSorted()).toEqual(second.kids.toSorted())
      expect(first.kids).toContain(former)

      const listed = (await hub.keys('list')).out
      expect(listed).toMatch(new RegExp(`^sig  retired  stored  ${former}  from \\S+  until \\S+$`, 'm'))
      expect(listed).toMatch(new RegExp(`^sig  active   stored  ${later}  from \\S+$`, 'm'))

      // Ended before its time, it verifies nothing, also what was verified before.
      // A thumbprint may begin as an option does.
      expect((await hub.keys('retire', '--', former)).out).toBe(`${former} is ended\n`)
      await expect
        .poll(async () => (await atBoth((node) => readAt(node, before))).map(({ status }) => status), {
          timeout: SOON_MS,
        })
        .toEqual([401, 401])
      expect((await atBoth(tokenAt)).map(({ status }) => status)).toEqual([200, 200])
      expect((await hub.published()).flatMap(({ kids: all }) => all)).toEqual([later, later])
    } finally {
      over = true
      await traffic
    }
  }, 120_000)

  test.concurrent('of an encryption key is published to everybody, decrypted by everybody', async ({ expect }) => {
    type EncryptionKey = JWK & { readonly kid: string }
    const keysOf = async (): Promise<readonly (readonly EncryptionKey[])[]> =>
      (await hub.published()).map(({ answer }) =>
        (answer.json['keys'] as readonly EncryptionKey[]).filter(({ use }) => use === 'enc'),
      )
    /** A request object as a client encrypts it that saw this key. */
    const pushAt = async (node: 'first' | 'second', key: EncryptionKey): Promise<number> => {
      const push = hub.tpp.push()
      const request = await new CompactEncrypt(Buffer.from(compact(push.request)))
        .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM', cty: 'JWT', kid: key.kid })
        .encrypt(await importJWK(key, 'RSA-OAEP-256'))
      setField(push, 'request', request)
      return (await send(to(node, push))).status
    }
    const [[former] = []] = await keysOf()
    if (former === undefined) throw new Error('no encryption key is published')
    const { out } = await hub.keys('rotate', '--use', 'enc')
    const [, later = '', from = ''] = /^(\S+) is active from (\S+),/.exec(out) ?? []
    const settledAt = Date.parse(from) - AHEAD_SECONDS * 1000 + SETTLE_MS
    const early = (await keysOf()).map((keys) => keys.map(({ kid }) => kid))
    // Not before both can decrypt what comes encrypted to it.
    if (Date.now() < settledAt) expect(early).toEqual([[former.kid], [former.kid]])
    await pause(settledAt - Date.now() + 200)
    const published = await keysOf()
    expect(published.map((keys) => keys.map(({ kid }) => kid))).toEqual([
      [former.kid, later],
      [former.kid, later],
    ])
    const fresh = published[0]?.find(({ kid }) => kid === later) ?? former
    expect(await atBoth((node) => pushAt(node, fresh))).toEqual([201, 201])
    await pause(Date.parse(from) - Date.now() + 200)
    expect((await keysOf()).map((keys) => keys.map(({ kid }) => kid))).toEqual([[later], [later]])
    expect(await atBoth((node) => pushAt(node, fresh))).toEqual([201, 201])
    expect(await atBoth((node) => pushAt(node, former))).toEqual([201, 201])
    expect(await pushAt('first', { ...former, kid: 'unknown' })).toBe(400)
  }, 120_000)

  test('in a hurry is known to the other process at once', async () => {
    const { out } = await hub.keys('rotate', '--use', 'sig', '--now')
    const [, kid = ''] = /^(\S+) is active from/.exec(out) ?? []
    await expect
      .poll(async () => kidOf((await tokenAt('first')).json['access_token']), { timeout: SOON_MS, interval: 20 })
      .toBe(kid)
    const { refreshToken } = await hub.refreshToken()
    const { access_token: token } = await refreshed(refreshToken)
    expect((await readAt('second', String(token))).status).toBe(200)
  }, 60_000)
})

describe('what is kept', () => {
  test('holds no private key in clear: neither the database nor the log', async () => {
    const { rows } = (await hub.db.raw('select k::text as text from tenant_key k')) as { rows: { text: string }[] }
    expect(rows.length).toBeGreaterThan(3)
    const tenant = JSON.parse(readFileSync(join(dirname(hub.encryptionKeyFile), 'tenants/aurora.json'), 'utf8')) as {
      keys: { signing: { keyFile: string }[] }
    }
    const pem = readFileSync(tenant.keys.signing[0]?.keyFile ?? '', 'utf8')
    const der = Buffer.from(pem.replaceAll(/-----[A-Z ]+-----|\s/g, ''), 'base64')
    const middle = der.subarray(400, 440)
    const wanted = [middle.toString('hex'), middle.toString('base64').slice(0, 40), 'PRIVATE KEY', '"d":']
    const kept = [...rows.map(({ text }) => text), ...hub.logFiles.map((file) => readFileSync(file, 'utf8'))]
    for (const text of kept) for (const secret of wanted) expect(text).not.toContain(secret)
    for (const file of hub.logFiles) {
      expect(readFileSync(file, 'utf8')).not.toContain(readFileSync(hub.encryptionKeyFile, 'utf8'))
    }
  })

  test('is of no use without the key-encryption key: such a hub does not start', async () => {
    const folder = dirname(hub.encryptionKeyFile)
    const other = join(folder, 'other.key')
    writeFileSync(other, Buffer.alloc(32, 7).toString('base64'))
    const tenant = JSON.parse(readFileSync(join(folder, 'tenants/stored-71.json'), 'utf8')) as { keys: object }
    writeFileSync(
      join(folder, 'tenants/wrong.json'),
      JSON.stringify({ ...tenant, keys: { ...tenant.keys, encryptionKey: { file: other } } }),
    )
    const deployment = JSON.parse(readFileSync(join(folder, 'stored-71.json'), 'utf8')) as object
    writeFileSync(join(folder, 'wrong.json'), JSON.stringify({ ...deployment, tenants: ['tenants/wrong.json'] }))
    const { status, err } = await falaj(['hub', '--config', join(folder, 'wrong.json')])
    expect([status, err]).toEqual([
      1,
      expect.stringMatching(
        /^the keys of tenant aurora cannot be used: key \S+ is wrapped with another key-encryption key/,
      ),
    ])
  })

  test('keys of files are changed in their files', async () => {
    const plain = ['--config', join(dirname(hub.encryptionKeyFile), 'deployment.json'), '--tenant', 'aurora']
    const { status, err } = await falaj(['keys', 'rotate', '--use', 'sig', ...plain])
    expect([status, err]).toEqual([1, expect.stringContaining('are files of its configuration and change there')])
    expect((await falaj(['keys', 'list', ...plain])).out).toMatch(/^sig {2}active {3}file {4}\S+$/m)
  })
})
