/** The small words that everything else is said with: ids, time, errors, secrets. */
import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import {
  epochSeconds,
  iso,
  plus,
  secondsToMilliseconds,
  systemClock,
  toInstant,
  toMilliseconds,
  toSeconds,
} from '../../src/clock.ts'
import { ERRORS, type ErrorCode, HubError, toHubError } from '../../src/errors.ts'
import {
  isUuid,
  never,
  newCorrelationId,
  toAccountId,
  toClientId,
  toConsentId,
  toCorrelationId,
  toInteractionId,
  toOrganisationId,
  toTenantId,
  toThumbprint,
} from '../../src/ids.ts'
import { Secret } from '../../src/secret.ts'

const UUID = 'cd7e71fa-1863-44be-9ce1-e3add79d70f8'

describe('ids', () => {
  const ODD = [undefined, null, 7, {}, [UUID], '', ' ', `${UUID} `, ` ${UUID}`, `${UUID}\n`, 'a\0b', UUID.slice(1)]
  const parsers = {
    toTenantId,
    toClientId,
    toOrganisationId,
    toConsentId,
    toCorrelationId,
    toInteractionId,
    toThumbprint,
    toAccountId,
  }
  const GOOD: Readonly<Record<keyof typeof parsers, readonly string[]>> = {
    toTenantId: ['abc', 'aurora', 'bank2024'],
    toClientId: [UUID, `https://tpp.example/${UUID}`, UUID.toUpperCase()],
    toOrganisationId: [UUID],
    toConsentId: [UUID],
    toCorrelationId: [UUID],
    toInteractionId: ['a', `${'x'.repeat(128)}`],
    toThumbprint: ['K5aOy_ap5-aURmUUxk0lF-8xeoc1E_t_1OaUsWWCC_0'],
    toAccountId: ['1', 'acc-1_2.3~4', 'a'.repeat(40), '...'],
  }
  const BAD: Readonly<Record<keyof typeof parsers, readonly unknown[]>> = {
    toTenantId: [...ODD, 'ab', 'Aurora', '1bank', 'waytoolong', 'a-b'],
    toClientId: [...ODD, 'client', `${UUID}/x`, `a b ${UUID}`, `${'x'.repeat(201)}${UUID}`],
    toOrganisationId: [...ODD, `x${UUID}`],
    toConsentId: [...ODD, `urn:${UUID}`],
    toCorrelationId: ODD,
    toInteractionId: [undefined, null, 7, '', ' ', 'a b', 'a\n', 'ü', 'x'.repeat(129)],
    toThumbprint: [...ODD, 'K5aOy', 'K5aOy_ap5-aURmUUxk0lF-8xeoc1E_t_1OaUsWWCC=0'],
    toAccountId: ['', '.', '..', 'a/b', 'a%2Fb', 'a b', '../x', 'a'.repeat(41), 'é', 'a\n', undefined],
  }
  test.each(Object.keys(parsers) as (keyof typeof parsers)[])('%s takes what it is for, and nothing else', (name) => {
    for (const good of GOOD[name]) expect(parsers[name](good), good).toBe(good)
    for (const bad of BAD[name]) expect(parsers[name](bad), String(bad)).toBeNull()
  })

  test('a new correlation id is one', () => {
    expect(isUuid(newCorrelationId())).toBe(true)
    expect(newCorrelationId()).not.toBe(newCorrelationId())
  })

  test('a switch that misses a case throws, and does not say the value', () => {
    expect(() => never('hunter2' as never)).toThrow(/^unreachable: string$/)
  })
})

describe('time', () => {
  test('has one wire form, with an offset', () => {
    expect(iso(toInstant('2026-06-01T12:00:00+04:00'))).toBe('2026-06-01T08:00:00.000Z')
    expect(epochSeconds(toInstant(1999))).toBe(1)
    expect(plus(toInstant(1000), secondsToMilliseconds(toSeconds(2)))).toBe(3000)
    expect(plus(toInstant(1000), toMilliseconds(5))).toBe(1005)
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1000)
  })

  test.each([
    '',
    'tomorrow',
    '2026-13-01',
    Number.NaN,
    Number.POSITIVE_INFINITY,
    new Date('x'),
  ])('is not %s', (value) => {
    expect(() => toInstant(value)).toThrow(RangeError)
  })
})

describe('an error', () => {
  test.each(Object.keys(ERRORS) as ErrorCode[])('%s has a status and a text of its own', (code) => {
    const error = new HubError(code)
    expect(error).toMatchObject({ code, wireCode: code, status: ERRORS[code].status, reason: ERRORS[code].text })
    expect(error.status).toBeGreaterThanOrEqual(400)
    expect(error.reason.length).toBeGreaterThan(10)
  })

  test('shows the reason and keeps the detail for the log', () => {
    const error = new HubError('Consent.Invalid', {
      reason: 'public',
      detail: 'for us',
      wireCode: 'LFI.Own',
      status: 409,
    })
    expect(error).toMatchObject({ reason: 'public', message: 'for us', wireCode: 'LFI.Own', status: 409 })
    expect(new HubError('NotFound', { reason: 'x'.repeat(600) }).reason).toHaveLength(500)
  })

  test('of another kind becomes the general one and keeps its cause', () => {
    const cause = new TypeError('secret of the code')
    const error = toHubError(cause)
    expect(error).toMatchObject({ code: 'GenericError', status: 500, cause })
    expect(error.reason).not.toContain('secret')
    expect(toHubError('a string')).toMatchObject({ code: 'GenericError', message: 'thrown value' })
    expect(toHubError(error)).toBe(error)
  })

  test('of the driver is a passing one, where a connection was lost or never made', () => {
    const driver = readFileSync('node_modules/pg/lib/client.js', 'utf8')
    for (const words of [
      'timeout expired',
      'Connection terminated unexpectedly',
      'Client has encountered a connection error and is not queryable',
      'Client was closed and is not queryable',
    ]) {
      expect(driver).toContain(`new Error('${words}')`)
      expect(toHubError(new Error(words)).code, words).toBe('GenericRecoverableError')
      expect(toHubError(new Error(`a note on: ${words}`)).code).toBe('GenericError')
    }
  })
})

describe('a secret', () => {
  const secret = new Secret('hunter2')
  test.each<[string, () => string]>([
    ['text', () => `${secret}`],
    ['JSON', () => JSON.stringify({ secret })],
    ['inspection', () => inspect({ secret }, { depth: 9, showHidden: true })],
    ['its keys', () => JSON.stringify(Object.entries(secret))],
    ['a copy', () => JSON.stringify({ ...secret })],
  ])('does not show in %s', (_how, shown) => {
    expect(shown()).not.toContain('hunter2')
  })
  test('can be asked for', () => expect(secret.reveal()).toBe('hunter2'))
})
