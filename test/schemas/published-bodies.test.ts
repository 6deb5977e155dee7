/** Published files in a folder take the place of our documents, for bodies and nothing else. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { OperatorError } from '../../src/errors.ts'
import { loadSchemas } from '../../src/schema-registry.ts'
import { isPublishedPresent } from './published.ts'

const PUBLISHED = fileURLToPath(new URL('../../../shared/specs/uae-open-finance/', import.meta.url))
const ATM = 'uae-atm-openapi.yaml'
const title = `published documents${isPublishedPresent ? '' : ' — skipped, they are not beside the repository'}`

describe.skipIf(!isPublishedPresent)(title, () => {
  const folder = mkdtempSync(join(tmpdir(), 'falaj-published-'))
  const put = (name: string, text: string) => writeFileSync(join(folder, name), text)
  const original = () => readFileSync(join(PUBLISHED, 'standards', ATM), 'utf8')
  beforeAll(() => put(ATM, original()))
  afterAll(() => rmSync(folder, { recursive: true }))

  test('are taken unmodified, every one that there is', () => {
    const all = mkdtempSync(join(tmpdir(), 'falaj-published-all-'))
    for (const of of ['standards', 'ozone-connect']) cpSync(join(PUBLISHED, of), all, { recursive: true })
    const registry = loadSchemas({ published: all })
    rmSync(all, { recursive: true })
    const machine = { LFIId: 'a', LFIBrandId: 'a', ATMId: '1' }
    expect(registry.response('atm', 'getAtms', 200)?.({ Data: [machine], Meta: {} })).not.toEqual([])
    // Our own parameters stay, with the page that the published file does not know.
    expect(registry.parameters('product', 'GetProducts').query({ page: '2' })).toEqual([])
    expect(
      registry
        .parameters('fx', 'FxQuote_read')
        .header({ authorization: 'Bearer x', 'x-fapi-interaction-id': 'no uuid' }),
    ).not.toEqual([])
    const named = { Data: { SchemeName: 'IBAN', Identification: 'AE07', Name: { FullName: 'L' } } }
    const payee = registry.requestBody(
      'confirmation-of-payee',
      'ConfirmationOfPayeeConfirmation_signedConfirmationRequest',
    )
    expect(payee?.(named)).toEqual([])
    expect(payee?.({ ...named, Extra: 1 })).not.toEqual([])
    expect(payee?.(undefined)).toEqual([{ path: '', rule: 'required', message: 'a body is required' }])
  }, 60_000)

  test('an erratum acts without a release, on its family alone', () => {
    const meta = { LastUpdatedDateTime: '2026-01-01T00:00:00Z', TotalRecords: 0 }
    const body = { Data: [], Meta: { ...meta, Corrected: true } }
    expect(loadSchemas({ published: folder }).response('atm', 'getAtms', 200)?.(body)).not.toEqual([])
    put(ATM, original().replace(/^( +)(TotalRecords:\n)/m, '$1Corrected:\n$1  type: boolean\n$1$2'))
    const corrected = loadSchemas({ published: folder })
    expect(corrected.response('atm', 'getAtms', 200)?.(body)).toEqual([])
    expect(loadSchemas().response('atm', 'getAtms', 200)?.(body)).not.toEqual([])
    put(ATM, original())
  })

  test.each([
    ['a folder that is not there', () => join(folder, 'nowhere'), /nowhere is not a folder/],
    ['a folder without any of them', () => tmpdir(), /holds none of uae-account-information-openapi\.yaml/],
  ])('%s is refused at start', (_what, at, message) => {
    expect(() => loadSchemas({ published: at() })).toThrow(OperatorError)
    expect(() => loadSchemas({ published: at() })).toThrow(message)
  })

  test.each([
    ['no YAML', () => '{[', /uae-atm-openapi\.yaml cannot be used/],
    ['another operation', () => original().replace('getAtms', 'listAtms'), /has no operation getAtms at GET \/atms/],
    [
      'a reference to nothing',
      () => original().replaceAll('#/components/schemas/AEError400Response', '#/components/schemas/Nowhere'),
      /uae-atm-openapi\.yaml/,
    ],
    [
      'a pattern that is none',
      () => original().replace(/pattern: .*/, "pattern: '['"),
      /uae-atm-openapi\.yaml holds a schema that cannot be compiled/,
    ],
  ])('a file with %s is refused at start, and named', (_what, text, message) => {
    put(ATM, text())
    expect(() => loadSchemas({ published: folder })).toThrow(message)
    put(ATM, original())
  })
})
