/** A second version of a family beside the first: a line in the table, a document, and nothing else. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ROUTES } from '../../src/gateway/routes.ts'
import { servedRoutes, VERSIONS } from '../../src/gateway/versions.ts'
import { type DocumentId, loadSchemas } from '../../src/schema-registry.ts'
import { json } from './support/outside.ts'
import { callService } from './support/signed.ts'
import { createWorld, type World } from './support/world.ts'

const folder = mkdtempSync(join(tmpdir(), 'falaj-versions-'))
const NEXT = 'atm.v2.2' as DocumentId
/** As 2.1, with a member more that is required. */
const document = readFileSync('schemas/standards/atm.v2.1.yaml', 'utf8')
  .replaceAll('/atm/v2.1', '/atm/v2.2')
  .replace('required: [ATMId, LFIId,', 'required: [ATMId, Operator, LFIId,')
  .replace('LFIBrandId: {', 'Operator: { type: string }\n              LFIBrandId: {')
const schemas = { further: { [NEXT]: join(folder, 'atm.v2.2.yaml') } }
const versions = [...VERSIONS, { family: 'atm', version: '2.2', document: NEXT } as const]

let world: World
beforeAll(async () => {
  writeFileSync(schemas.further[NEXT] ?? '', document)
  world = await createWorld({ schemas, versions })
})
afterAll(async () => {
  await world.close()
  rmSync(folder, { recursive: true })
})

const machine = {
  LFIId: 'aurora',
  LFIBrandId: 'aurora',
  ATMId: 'atm-1',
  SupportedCurrencies: ['AED'],
  Location: {
    PostalAddress: { AddressLine: ['Corniche'], Country: 'AE' },
    GeoLocation: { Latitude: '24.4', Longitude: '54.3' },
  },
}
const answerOf = (more: object) =>
  json(200, { data: [{ ...machine, ...more }], meta: { LastUpdatedDateTime: '2026-01-01T00:00:00Z', TotalRecords: 1 } })
const ask = (version: string) =>
  callService(world, { method: 'GET', path: `/open-finance/atm/v${version}/atms`, scope: 'atm', as: 'none' }, undefined)
const first = (answer: { json(): unknown }) => (answer.json() as { Data: Record<string, unknown>[] }).Data[0]

describe('two versions of one family', () => {
  test('are served side by side, each by its own document', async () => {
    world.lfi.answer = answerOf({ Operator: 'Aurora Cash' })
    const [old, next] = [await ask('2.1'), await ask('2.2')]
    expect([old.status, next.status]).toEqual([200, 200])
    expect(first(old)).toMatchObject({ ATMId: 'atm-1' })
    expect(first(old)).not.toHaveProperty('Operator')
    expect(first(next)).toMatchObject({ ATMId: 'atm-1', Operator: 'Aurora Cash' })
  })

  test('the LFI is told which one was called: its own paths have no version (lfi-api 0.4)', async () => {
    world.lfi.asked.length = 0
    await ask('2.1')
    await ask('2.2')
    expect(world.lfi.asked.map(({ url, headers }) => [url, headers['o3-api-uri']])).toEqual([
      ['/oc/atm', '/open-finance/atm/v2.1/atms'],
      ['/oc/atm', '/open-finance/atm/v2.2/atms'],
    ])
  })

  test('what one version needs is no fault of the other', async () => {
    world.lfi.answer = answerOf({})
    expect([(await ask('2.1')).status, (await ask('2.2')).status]).toEqual([200, 500])
  })

  test('a version that nobody lists is a 404', async () => {
    expect((await ask('2.3')).status).toBe(404)
  })

  test('a line that names a document of another version is refused at start', () => {
    const registry = loadSchemas(schemas)
    const wrong = [...VERSIONS, { family: 'atm', version: '2.3', document: NEXT } as const]
    expect(() => servedRoutes(ROUTES, wrong, registry)).toThrow(/atm\.v2\.2 is at .*\/v2\.2, not at version 2\.3/)
    const missing = VERSIONS.filter(({ family }) => family !== 'fx')
    expect(() => servedRoutes(ROUTES, missing, registry)).toThrow('the family fx has rows and no version')
  })
})
