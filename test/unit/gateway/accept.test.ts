import { expect, test } from 'vitest'
import { negotiate, OFFERS, readBodyType } from '../../../src/gateway/accept.ts'

const UTF8 = 'application/json; charset=utf-8'

// biome-ignore format: a table reads by its columns
test.each([
  [undefined, UTF8],
  ['', UTF8],
  ['*/*', UTF8],
  ['application/*', UTF8],
  ['application/json', 'application/json'],
  ['Application/JSON;charset=UTF-8', UTF8],
  ['application/json; charset="utf-8"', UTF8],
  ['application/jwt', 'application/jwt'],
  ['application/jwt, application/json;q=0.9', 'application/jwt'],
  ['application/json, application/jwt', 'application/json'],
  ['application/jwt;q=0.5, application/json;q=0.4, */*;q=0.1', 'application/jwt'],
  ['*/*, application/json;q=0', 'application/jwt'],
  ['application/*;q=0.2, application/jwt;q=0.8', 'application/jwt'],
  ['text/html, application/xhtml+xml, */*;q=0.8', UTF8],
  ['application/json;q=0', null],
  ['application/json;q=2', null],
  ['application/json;q=-1', null],
  ['application/json; charset=iso-8859-1', null],
  ['text/html', null],
  ['application/xml, text/*', null],
  ['json', null],
  [',', null],
])('Accept: %s → %s', (accept, offer) => {
  expect(negotiate(accept, OFFERS)).toBe(offer)
})

test('an offer that is not made is not given', () => {
  expect(negotiate('application/jwt', [UTF8, 'application/json'])).toBeNull()
})

const body = (contentType: string | undefined, contentEncoding?: string) =>
  readBodyType({ contentType, contentEncoding, hasBody: true, accepted: [UTF8, 'application/json', 'application/jwt'] })

test.each([
  ['application/json', 'json'],
  ['APPLICATION/JSON ; charset=utf-8', 'json'],
  ['application/jwt', 'jwt'],
])('Content-Type: %s → %s', (type, read) => {
  expect(body(type)).toBe(read)
})

test.each([
  undefined,
  '',
  'text/json',
  'application/json; charset=utf-16',
  'application/jsonx',
])('Content-Type: %s is refused', (type) => {
  expect(() => body(type)).toThrow(expect.objectContaining({ code: 'UnsupportedMediaType' }))
})

test('nothing is asked of an absent body, and no coding is undone', () => {
  expect(readBodyType({ contentType: 'text/html', contentEncoding: undefined, hasBody: false, accepted: [] })).toBe(
    'none',
  )
  expect(body('application/json', 'identity')).toBe('json')
  expect(() => body('application/json', 'gzip')).toThrow()
})
