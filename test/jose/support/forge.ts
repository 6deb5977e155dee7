/** Compact JWS from the texts of its parts, so that every byte of it can be wrong. */
import { constants, createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

export type Json = Readonly<Record<string, unknown>>

export const rsaKey = (modulusLength = 2048): KeyObject => generateKeyPairSync('rsa', { modulusLength }).privateKey

/** Text and bytes as they are, anything else as JSON. */
export function base64url(value: unknown): string {
  const bytes = Buffer.isBuffer(value) || typeof value === 'string' ? value : JSON.stringify(value)
  return Buffer.from(bytes as string).toString('base64url')
}

/** The two signed parts as they go over the wire, and a good PS256 signature of them. */
export function signParts(header: string, payload: string, key: KeyObject, saltLength = 32): string {
  const input = `${header}.${payload}`
  const signature = sign('sha256', Buffer.from(input), { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength })
  return `${input}.${signature.toString('base64url')}`
}

export const forge = (header: unknown, payload: unknown, key: KeyObject): string =>
  signParts(base64url(header), base64url(payload), key)

export function withHmac(header: Json, payload: unknown, secret: string | Buffer): string {
  const input = `${base64url(header)}.${base64url(payload)}`
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}

export function withSignature(jws: string, signature: Buffer | string): string {
  const text = typeof signature === 'string' ? signature : signature.toString('base64url')
  return `${jws.slice(0, jws.lastIndexOf('.'))}.${text}`
}

/** The last character carries bits that belong to no byte: another one there is the same signature, written wrongly. */
export function withLeftoverBits(jws: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return `${jws.slice(0, -1)}${alphabet[alphabet.indexOf(jws.at(-1) ?? '') + 1]}`
}

/** All the ways to write `none` that a comparison may forget. */
export const NONES: readonly unknown[] = [
  ...['none', 'None', 'NONE', 'nOnE', 'none ', ' none', 'none\u0000', 'n\u043ene', '\uff4e\uff4f\uff4e\uff45', ''],
  ...[null, false, 0, [], ['none'], {}],
]

/** Names that find something where nothing was put. */
export const INHERITED = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', 'prototype', 'length']

/** What a key id may hope to become: a path, a statement, another key's name to a careless eye. */
export const INJECTED = [
  '../../../../dev/null',
  '/etc/passwd',
  'file:///etc/passwd',
  'https://evil.example/keys.json',
  "x' union select 'key' --",
  "'; drop table client; --",
  '$(id)',
  '%00',
  '\u0000',
  '*',
  '.',
]

/** Another id that looks like this one, or that a folding of letters would make equal to it. */
export const lookAlikesOf = (kid: string): readonly string[] => [
  kid.toUpperCase() === kid ? kid.toLowerCase() : kid.toUpperCase(),
  `${kid} `,
  ` ${kid}`,
  `${kid}\u200b`,
  `${kid}\u0000`,
  `\ufeff${kid}`,
  kid.replace(/[A-Za-z]/, (letter) => String.fromCodePoint((letter.codePointAt(0) ?? 0) + 0xfee0)),
]
