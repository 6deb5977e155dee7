/** The API reference: complete, linked within itself, and nothing that a strict policy would have to allow. */
import { globSync, readFileSync } from 'node:fs'
import { load } from 'js-yaml'
import { describe, expect, test } from 'vitest'
import { renderReference } from '../../sandbox/reference/pages.ts'

const pages = renderReference()
const html = [...pages].filter(([name]) => name.endsWith('.html'))
const matches = (text: string, pattern: RegExp): readonly string[] =>
  [...text.matchAll(pattern)].map(([, found]) => found ?? '')

test('every document of schemas/ has a page, with each of its operations and named objects once', () => {
  const files = globSync('schemas/*/*.yaml')
  expect(html.length).toBe(files.length + 1)
  for (const file of files) {
    const name = file
      .replace(/^schemas\//, '')
      .replace('/', '.')
      .replace(/yaml$/, 'html')
    const text = pages.get(name) ?? ''
    const document = load(readFileSync(file, 'utf8')) as {
      readonly paths?: object
      readonly components?: { readonly schemas?: object }
      readonly $defs?: object
    }
    const operations = Object.values((document.paths ?? {}) as Record<string, Record<string, { operationId?: string }>>)
      .flatMap((path) => Object.values(path))
      .flatMap(({ operationId }) => operationId ?? [])
    const objects = Object.keys(document.components?.schemas ?? document.$defs ?? {}).map((each) => `schema-${each}`)
    expect(matches(text, /<section[^>]* id="([^"]+)"/g).toSorted(), file).toEqual([...operations, ...objects].sort())
    expect(pages.get('index.html')).toContain(`href="${name}"`)
  }
})

test('every link leads to a page and a place on it that exist', () => {
  for (const [name, text] of html) {
    for (const link of matches(text, /href="([^"]*)"/g)) {
      const [file = '', place] = link.split('#')
      const target = pages.get(file === '' ? name : file)
      expect(target, `${name}: ${link}`).toBeDefined()
      if (place !== undefined) expect(target, `${name}: ${link}`).toContain(`id="${place}"`)
    }
  }
})

describe('an operation is told whole', () => {
  const accounts = pages.get('standards.account-information.v2.1.html') ?? ''
  const from = accounts.indexOf('<code>GET /accounts/{AccountId}/balances</code></h2>')
  const balances = accounts.slice(from, accounts.indexOf('</section>', from))

  test('its scope, parameters, statuses and errors', () => {
    expect(balances).toContain('<code>x-fapi-interaction-id</code>')
    expect(balances).toContain('Access token of a customer’s consent, scope <code>openid accounts</code>')
    for (const status of ['200', '400', '401', '403', '429', '500']) {
      expect(balances).toContain(`<th scope="row">${status}</th>`)
    }
  })

  test('members that have members are tables in tables', () => {
    expect(accounts).toMatch(/<td>(?:(?!<\/td>)[\s\S])*<table>/)
  })
})

test('nothing runs, nothing is styled in place, nothing comes from elsewhere', () => {
  for (const [name, text] of html) {
    expect(matches(text, /<(script|iframe|img|object|form)\b/g), name).toEqual([])
    expect(matches(text, /<[a-z][^>]*\s(style|on[a-z]+|src)=/g), name).toEqual([])
    expect(matches(text, /href="((?:[a-z]+:)?\/\/[^"]*)"/g), name).toEqual([])
  }
  expect(pages.get('style.css')).not.toMatch(/url\(|@import/)
})
