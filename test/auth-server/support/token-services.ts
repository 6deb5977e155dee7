/** What a client does with its tokens besides using them, and what the answers look like. */
import { expect } from 'vitest'
import { type Json, readVerified } from './jws.ts'
import { send, type Tpp } from './tpp.ts'
import type { Answer } from './wire.ts'
import type { World } from './world.ts'

/** @param worldOf asked when it is needed: the world is made before the first test, and after this */
export function tokenServices(worldOf: () => World) {
  const at = (path: string): string => `${worldOf().doors.as}${path}`
  const revoke = (token: string, by: Tpp = worldOf().tpp, hint?: string) =>
    send(by.post(at('/token/revoke'), { token, ...(hint === undefined ? {} : { token_type_hint: hint }) }))
  const introspect = (token: string, by: Tpp = worldOf().tpp) => send(by.post(at('/introspection'), { token }))
  const userinfo = (
    token: string,
    by = worldOf().tpp,
    method = 'GET',
    headers: Readonly<Record<string, string>> = {},
  ) => by.wire.send(at('/userinfo'), { method, headers: { authorization: `Bearer ${token}`, ...headers } })
  const ownToken = async (by: Tpp = worldOf().tpp) =>
    String((await send(by.clientCredentials('openid accounts'))).json['access_token'])
  const refreshed = async (refreshToken: string) =>
    String((await send(worldOf().tpp.refresh(refreshToken))).json['access_token'])
  const verified = (jwt: string): { readonly header: Json; readonly claims: Json } => {
    const { kid } = JSON.parse(Buffer.from(jwt.split('.')[0] ?? '', 'base64url').toString()) as { kid: string }
    const key = worldOf().hubKeys.find((each) => each.kid === kid && each.use === 'sig')
    const read = key === undefined ? null : readVerified(jwt, key)
    if (read === null) throw new Error('not signed with a published key')
    return read
  }
  return { at, revoke, introspect, userinfo, ownToken, refreshed, verified }
}

export const claimsIn = (jwt: string): Json =>
  JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString('utf8'))

export function expectRevoked(answer: Answer): void {
  expect([answer.status, answer.text, answer.headers['content-type']]).toEqual([200, '', undefined])
  expect(answer.headers['cache-control']).toContain('no-store')
}

export function expectInactive(answer: Answer): void {
  expect([answer.status, answer.json]).toEqual([200, { active: false }])
  expect(answer.headers['cache-control']).toContain('no-store')
}

/** RFC 6750 3: the challenge says the same as the body. */
export function expectChallenge(answer: Answer, status: number, error: string | null): void {
  const challenge = answer.headers['www-authenticate'] ?? ''
  expect([answer.status, challenge.startsWith('Bearer')]).toEqual([status, true])
  if (error === null) expect(challenge).toBe('Bearer')
  else {
    expect(challenge).toMatch(new RegExp(`^Bearer error="${error}", error_description="[^"]+"`))
    expect(answer.json).toEqual({ error, error_description: expect.stringMatching(/./) })
  }
  expect(answer.text).not.toContain('Maryah')
}
