import { describe, expect, test } from 'vitest'
import { linksOf, readPage, totalPages } from '../../../src/gateway/paging.ts'

describe('number of pages', () => {
  // biome-ignore format: a table reads by its columns
  test.each([
    ['as the LFI says', { totalPages: 4, paginated: true }, 2, 100, 4],
    ['as the LFI says, whatever else it says', { totalPages: 4, paginated: false }, 1, 100, 4],
    ['none when there is nothing', { totalPages: 0, paginated: null }, 1, 0, 0],
    ['none when there is nothing and nothing is said', { totalPages: null, paginated: null }, 1, 0, 0],
    ['one when nothing is said', { totalPages: null, paginated: null }, 1, 100, 1],
    ['not fewer than there has been', { totalPages: 1, paginated: true }, 3, 10, 3],
    ['zero would deny what is there', { totalPages: 0, paginated: null }, 1, 5, 1],
    ['up to here when nothing is said', { totalPages: null, paginated: null }, 3, 10, 3],
    ['one further when it pages and this one is full', { totalPages: null, paginated: true }, 3, 100, 4],
    ['the one before when this one is empty', { totalPages: null, paginated: true }, 3, 0, 2],
  ])('%s', (_name, meta, page, records, pages) => {
    expect(totalPages(meta, page, records, 100)).toBe(pages)
  })
})

describe('links', () => {
  const at = (page: number, totalPages: number, more: object = {}) =>
    linksOf({
      origin: 'https://rs.example',
      path: '/v2.1/accounts/a/transactions',
      filters: [['fromBookingDateTime', '2025-01-01T00:00:00+04:00']],
      page,
      pageGiven: true,
      totalPages,
      ...more,
    })
  const url = (page: number) =>
    `https://rs.example/v2.1/accounts/a/transactions?fromBookingDateTime=2025-01-01T00%3A00%3A00%2B04%3A00&page=${page}`

  test('of the first page have no page before it, of the last none after it', () => {
    expect(at(1, 3)).toEqual({ Self: url(1), First: url(1), Next: url(2), Last: url(3) })
    expect(at(2, 3)).toEqual({ Self: url(2), First: url(1), Prev: url(1), Next: url(3), Last: url(3) })
    expect(at(3, 3)).toEqual({ Self: url(3), First: url(1), Prev: url(2), Last: url(3) })
  })

  test('past the end lead back', () => {
    expect(at(9, 3)).toEqual({ Self: url(9), First: url(1), Prev: url(3), Last: url(3) })
    expect(at(2, 0)).toEqual({ Self: url(2), First: url(1), Prev: url(1), Last: url(1) })
  })

  test('of one page are the call itself, as it was made', () => {
    const Self = url(1).replace('&page=1', '')
    expect(at(1, 1, { pageGiven: false })).toEqual({ Self })
    expect(at(1, 0, { pageGiven: false, filters: [] })).toEqual({ Self: Self.split('?')[0] })
  })
})

test.each([
  [undefined, 1],
  ['1', 1],
  ['100000', 100_000],
  ['100001', null],
  ['0', null],
  ['01', null],
  ['', null],
  [' 1', null],
  ['1.0', null],
])('page %s is %s', (text, page) => {
  expect(readPage(text)).toBe(page)
})
