import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ERRORS } from '../../../src/errors.ts'
import { arrived, requestPaths } from '../../../src/gateway/pipeline.ts'
import { createRouteTable } from '../../../src/gateway/route-table.ts'
import { ROUTES } from '../../../src/gateway/routes.ts'
import { path, stage } from '../../../src/gateway/stage.ts'
import { opening } from '../../../src/permissions.ts'
import { loadSchemas } from '../../../src/schema-registry.ts'
import { GOLDEN } from '../../golden/update.ts'

const registry = loadSchemas()

describe('order of the stages', () => {
  const needsClient = stage({ name: 'needs-client', needs: ['client'], adds: [], fails: [], run: () => ({}) })

  test('is the compiler’s business: a stage without its facts does not compile', () => {
    // @ts-expect-error nothing before it adds `client`
    path('arrival').step(needsClient)
    expect(path('arrival', 'client').step(needsClient).stages).toEqual([needsClient])
  })

  test.each(Object.entries(requestPaths))('of %s: each stage has what it needs, and the entrance comes first', (_name, {
    stages,
    facts,
  }) => {
    expect(stages.slice(0, arrived.stages.length)).toEqual(arrived.stages)
    const known = new Set<string>(facts)
    for (const each of stages) {
      for (const need of each.needs) expect(known, `${each.name} needs ${need}`).toContain(need)
      for (const fact of each.adds) known.add(fact)
      for (const code of each.fails) expect(ERRORS).toHaveProperty([code])
    }
  })

  test('of data: nothing is asked of the LFI before consent, permission and account are judged', () => {
    const names = requestPaths['read-resource'].stages.map(({ name }) => name)
    const judged = [
      'verify-token',
      'check-sender',
      'check-binding',
      'check-proof',
      'load-consent',
      'check-permission',
      'check-account',
    ]
    for (const name of judged) {
      expect(names.indexOf(name), name).toBeGreaterThanOrEqual(0)
      expect(names.indexOf(name), name).toBeLessThan(names.indexOf('ask-lfi'))
    }
  })
})

describe('routes', () => {
  test.each(['account-information', 'onboarding'] as const)('cover document %s, each operation once', (document) => {
    const documented = registry.operations(document).map(({ operationId }) => operationId)
    const served = ROUTES.filter((route) => route.document === document).map(({ operationId }) => operationId)
    expect(served.toSorted()).toEqual(documented.toSorted())
  })

  test('name operations that the LFI has, and permissions open each of them', () => {
    const lfi = new Map(registry.operations('data-sharing').map((each) => [each.operationId, each]))
    for (const route of ROUTES) {
      if (route.follows !== 'read-resource') continue
      expect(lfi.get(route.lfi.operationId)).toMatchObject({ method: 'GET', path: route.lfi.path })
      expect(opening(route.operationId).size, route.operationId).toBeGreaterThan(0)
    }
  })

  test('that no document has are refused at start', () => {
    const [first] = ROUTES
    if (first === undefined) throw new Error('no routes')
    expect(() => createRouteTable([{ ...first, path: '/elsewhere' }], registry)).toThrow(/not in document/)
  })
})

test.each(Object.keys(GOLDEN))('%s is up to date', (file) => {
  expect(readFileSync(new URL(`../../golden/${file}`, import.meta.url), 'utf8')).toBe(GOLDEN[file]?.())
})
