import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { genesis } from '../../../src/audit/chain.ts'
import {
  createCheckpointSigner,
  openCheckpoint,
  type PublicKey,
  parsePublicKey,
} from '../../../src/audit/checkpoint.ts'
import { newAuditKey } from './keys.ts'

const signer = createCheckpointSigner('aurora', newAuditKey().reveal())
const { head } = genesis('aurora')
const note = signer.sign({ size: 12, head, signedAt: '2026-03-01T08:00:00.000Z' })

function keyOf(text: string): PublicKey {
  const key = parsePublicKey(text)
  if (key === null) throw new Error('not a key')
  return key
}

const key = keyOf(signer.publicKey)
const open = (text: string, by = key) => openCheckpoint(Buffer.from(text), by)

describe('checkpoint', () => {
  test('is a signed-note of four lines and one signature', () => {
    expect(note.split('\n')).toEqual([
      'falaj/aurora',
      '12',
      head.toString('base64'),
      'falaj-chain/v1 2026-03-01T08:00:00.000Z',
      '',
      expect.stringMatching(/^— falaj\/aurora [A-Za-z0-9+/]+=*$/),
      '',
    ])
  })

  test('opens with the key that signed it', () => {
    expect(open(note)).toEqual({
      ok: true,
      foreignSignatures: 0,
      checkpoint: { tenantId: 'aurora', size: 12, head, signedAt: '2026-03-01T08:00:00.000Z' },
    })
  })

  test('does not open with another key of the same name', () => {
    expect(open(note, keyOf(createCheckpointSigner('aurora', newAuditKey().reveal()).publicKey))).toMatchObject({
      ok: false,
      reason: expect.stringMatching('expected key'),
    })
  })

  test('does not open after the change of any one bit', () => {
    const bytes = Buffer.from(note)
    for (let index = 0; index < bytes.length * 8; index += 1) {
      const changed = Buffer.from(bytes)
      changed[index >> 3] = (changed[index >> 3] ?? 0) ^ (1 << (index & 7))
      expect(openCheckpoint(changed, key).ok, `bit ${index}`).toBe(false)
    }
  })

  test('counts the signatures of witnesses, and refuses two of its own', () => {
    const line = note.split('\n').at(-2) ?? ''
    expect(open(`${note}— witness.example AAAAAAAA\n`)).toMatchObject({ ok: true, foreignSignatures: 1 })
    expect(open(`${note}${line}\n`).ok).toBe(false)
  })

  test.each([
    ['nothing', ''],
    ['no signature', note.slice(0, note.indexOf('\n\n') + 1)],
    ['no line feed at the end', note.slice(0, -1)],
    ['a line more', `${note}\n`],
    ['a line that is no signature', `${note}hello\n`],
    ['far too much', note + '— witness.example AAAAAAAA\n'.repeat(1000)],
  ])('does not open with %s', (_name, text) => {
    expect(open(text).ok).toBe(false)
  })
})

describe('public key', () => {
  test('has the form that signed-note gives', () => {
    expect(signer.publicKey).toMatch(/^falaj\/aurora\+[0-9a-f]{8}\+A[A-Za-z0-9+/]{43}$/)
    expect(key.tenantId).toBe('aurora')
  })

  test('is refused after the change of any one character', () => {
    for (let index = 0; index < signer.publicKey.length; index += 1) {
      const other = signer.publicKey[index] === 'b' ? 'c' : 'b'
      expect(
        parsePublicKey(`${signer.publicKey.slice(0, index)}${other}${signer.publicKey.slice(index + 1)}`),
      ).toBeNull()
    }
  })

  test.each([
    '',
    '+',
    '++',
    'falaj/aurora',
    'falaj/aurora+00000000+AAAA',
    'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
  ])('is refused: %j', (text) => {
    expect(parsePublicKey(text)).toBeNull()
  })

  test('is made of Ed25519 keys only', () => {
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'pem', type: 'pkcs8' })
    expect(() => createCheckpointSigner('aurora', ec.toString())).toThrow('Ed25519')
  })
})
