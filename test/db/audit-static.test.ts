/**
 * An export behind a web server that knows nothing but files, read by a client that knows nothing but C2SP tlog-tiles:
 * not a line of ours but the folder is between them.
 */
import { createHash, createPublicKey, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, normalize } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AuditLog, openAuditLog } from '../support/audit-log.ts'

/** Two complete tiles and a part of a third, so there is a part of a tile on the level above. */
const ENTRIES = 600
let log: AuditLog
let server: Server
let origin: string
const asked: string[] = []

beforeAll(async () => {
  log = await openAuditLog()
  await log.record(ENTRIES)
  await log.seal()
  const { path } = await log.export('static')
  server = createServer((request, response) => {
    asked.push(request.url ?? '')
    const name = normalize(request.url ?? '/')
    try {
      const body = readFileSync(join(path, name))
      const isTile = name.startsWith('/tile/')
      response.writeHead(200, {
        'content-type': isTile ? 'application/octet-stream' : 'text/plain; charset=utf-8',
        'cache-control': isTile ? 'public, max-age=31536000, immutable' : 'no-cache',
      })
      response.end(body)
    } catch {
      response.writeHead(404).end()
    }
  }).listen(0, '127.0.0.1')
  await new Promise((ready) => server.once('listening', ready))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await log.close()
})

async function get(path: string): Promise<Buffer> {
  const answer = await fetch(`${origin}/${path}`)
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status}`)
  expect(answer.headers.get('content-type')).toContain(path.startsWith('tile/') ? 'octet-stream' : 'text/plain')
  return Buffer.from(await answer.arrayBuffer())
}

const sha256 = (...parts: readonly Buffer[]) => createHash('sha256').update(Buffer.concat(parts)).digest()
const tileName = (level: string, n: number, width: number): string =>
  `tile/${level}/${String(n).padStart(3, '0')}${width === 256 ? '' : `.p/${width}`}`

/** The head of the log, believed because the key of its operator signed it (signed-note, tlog-checkpoint). */
async function head(publicKey: string): Promise<{ readonly size: number; readonly root: string }> {
  const [, name, id, encoded = ''] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(publicKey) ?? []
  const text = (await get('checkpoint')).toString('utf8')
  const signed = text.slice(0, text.indexOf('\n\n') + 1)
  const line = text.split('\n').find((each) => each.startsWith(`— ${name} `))
  const blob = Buffer.from(line?.split(' ')[2] ?? '', 'base64')
  const x = Buffer.from(encoded, 'base64').subarray(1).toString('base64url')
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  if (blob.subarray(0, 4).toString('hex') !== id || !verify(null, Buffer.from(signed), key, blob.subarray(4)))
    throw new Error('the checkpoint is not signed by this key')
  const [claimed, size, root = ''] = signed.split('\n')
  expect(claimed).toBe(name)
  return { size: Number(size), root }
}

/** Hashes of one level, from its tiles. */
async function level(at: number, size: number): Promise<readonly Buffer[]> {
  const count = Math.floor(size / 256 ** at)
  const hashes: Buffer[] = []
  for (let n = 0; n * 256 < count; n += 1) {
    const width = Math.min(256, count - n * 256)
    const tile = await get(tileName(String(at), n, width))
    expect(tile).toHaveLength(width * 32)
    for (let place = 0; place < width; place += 1) hashes.push(tile.subarray(place * 32, place * 32 + 32))
  }
  return hashes
}

function rootOf(hashes: readonly Buffer[]): Buffer {
  if (hashes.length === 1) return hashes[0] as Buffer
  let half = 1
  while (half * 2 < hashes.length) half *= 2
  return sha256(Buffer.of(1), rootOf(hashes.slice(0, half)), rootOf(hashes.slice(half)))
}

describe('a client of tlog-tiles', () => {
  test('finds every entry in the tree that was signed, and in the tiles above it', async () => {
    const { size, root } = await head(log.publicKey)
    expect(size).toBeGreaterThan(ENTRIES)
    const leaves = await level(0, size)
    expect(leaves).toHaveLength(size)
    expect(rootOf(leaves).toString('base64')).toBe(root)
    const upper = await level(1, size)
    expect(upper.map(String)).toEqual([0, 1].map((n) => String(rootOf(leaves.slice(n * 256, n * 256 + 256)))))
    for (let n = 0; n * 256 < size; n += 1) {
      const bundle = await get(tileName('entries', n, Math.min(256, size - n * 256)))
      let at = 0
      for (const leaf of leaves.slice(n * 256, n * 256 + 256)) {
        const length = bundle.readUInt16BE(at)
        expect(sha256(Buffer.of(0), bundle.subarray(at + 2, at + 2 + length)).equals(leaf)).toBe(true)
        at += 2 + length
      }
      expect(at).toBe(bundle.length)
    }
    expect(asked).toContain(`/tile/0/002.p/${size - 512}`)
    expect(asked).toContain('/tile/1/000.p/2')
  })

  test('is led to one entry by two tiles, whatever else there is', async () => {
    const { size, root } = await head(log.publicKey)
    const index = 300
    // What its own tile does not say, the level above does: the roots of complete tiles.
    const [own, above, edge] = [
      await get(tileName('0', 1, 256)),
      await get(tileName('1', 0, 2)),
      await get(tileName('0', 2, size - 512)),
    ]
    const of = (tile: Buffer) => Array.from({ length: tile.length / 32 }, (_, n) => tile.subarray(n * 32, n * 32 + 32))
    const mine = rootOf(of(own))
    const bundle = await get(tileName('entries', 1, 256))
    let at = 0
    for (let n = 256; n < index; n += 1) at += 2 + bundle.readUInt16BE(at)
    const entry = bundle.subarray(at + 2, at + 2 + bundle.readUInt16BE(at))
    expect(of(own)[index - 256]?.equals(sha256(Buffer.of(0), entry))).toBe(true)
    expect(JSON.parse(entry.toString('utf8'))).toMatchObject({ kind: 'system', tenantId: 'aurora' })
    const complete = sha256(Buffer.of(1), of(above)[0] as Buffer, mine)
    expect(sha256(Buffer.of(1), complete, rootOf(of(edge))).toString('base64')).toBe(root)
  })

  test('is told 404 of a tile that is not there, and does not believe another key', async () => {
    const { size } = await head(log.publicKey)
    expect((await fetch(`${origin}/${tileName('0', 2, 256)}`)).status).toBe(404)
    expect((await fetch(`${origin}/${tileName('0', 2, size - 511)}`)).status).toBe(404)
    const other = `${log.publicKey.split('+', 2).join('+')}+${Buffer.alloc(33, 1).toString('base64')}`
    await expect(head(other)).rejects.toThrow('not signed by this key')
  })
})
