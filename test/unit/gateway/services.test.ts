import { describe, expect, test } from 'vitest'
import { HubError } from '../../../src/errors.ts'
import { keyOf, type ServiceRoute } from '../../../src/gateway/routes.ts'
import { alike } from '../../../src/gateway/transform/alike.ts'
import { createQuality } from '../../../src/gateway/transform/quality.ts'
import { createServiceTranslator } from '../../../src/gateway/transform/service-translation.ts'
import { SERVICES } from '../../../src/gateway/transform/services.ts'
import { compile } from '../../../src/gateway/transform/shape.ts'
import type { Node } from '../../../src/schema-registry.ts'
import { complete, isWhole, lfiAnswers, mutualAnswers, registry, SERVICE_ROUTES, tppBodies } from './service-samples.ts'

const noted: string[] = []
const translator = createServiceTranslator(SERVICE_ROUTES, registry, (operationId, found) => {
  noted.push(...Object.keys(found).map((place) => `${operationId} ${place}`))
})
const call = {
  pages: () => ({ links: { Self: 'https://rs.example/here' }, totalPages: 1 }),
  self: () => 'https://rs.example/here',
}
/** The TPP's document sets no least length for a line of a foreign address; the LFI then says so itself. */
const STRICTER_AT_THE_LFI = /AddressLine\[\] empty text: \S+ minLength$/
const named = (routes: readonly ServiceRoute[]) => routes.map((route) => [keyOf(route), route] as const)
const asking = SERVICE_ROUTES.filter((route) => SERVICES[route.service].ask !== null)
const answering = SERVICE_ROUTES.filter((route) => ['list', 'one'].includes(SERVICES[route.service].answer.data))

describe.each(named(asking))('the body of %s', (_name, route) => {
  const bodies = tppBodies(route)
  const lfi = registry.requestBody(route.lfi.document, route.lfi.operationId)

  test('is one that the LFI has to accept, whatever the TPP may send', () => {
    expect(bodies.length).toBeGreaterThan(5)
    const refused = bodies.flatMap(({ kind, at, value }) => {
      const violations = lfi?.(JSON.parse(translator.ask(route, value) ?? '')) ?? []
      return violations.map(({ path, rule }) => `${at} ${kind}: ${path} ${rule}`)
    })
    expect(refused.filter((line) => !STRICTER_AT_THE_LFI.test(line))).toEqual([])
  })

  test('loses nothing but what is the hub’s own', () => {
    for (const { value } of bodies) {
      const sent = JSON.parse(translator.ask(route, value) ?? '') as Record<string, unknown>
      expect(Object.keys(sent)).toEqual(['data'])
      const { Data } = value as { readonly Data: Record<string, unknown> }
      // Every value of it arrives, under whatever name.
      expect(leaves(sent)).toEqual(leaves(Data))
    }
  })
})

describe.each(named(answering))('the answer of %s', (_name, route) => {
  const answers = lfiAnswers(route)
  const tpp = registry.response(route.document, route.operationId, route.answers)
  const { answer } = SERVICES[route.service]

  test('comes back as the TPP’s document has it, or as an error that names the place', () => {
    expect(answers.length).toBeGreaterThan(5)
    for (const { value } of answers) {
      noted.length = 0
      try {
        const translation = translator.answer(route, structuredClone(value), call)
        expect(tpp?.(translation.body)).toEqual([])
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(HubError)
        expect((thrown as HubError).code).toBe('GenericError')
        expect(noted).not.toEqual([])
      }
    }
  })

  test('passes unchanged where both documents accept it', () => {
    const mutual = mutualAnswers(route)
    expect(mutual.length).toBeGreaterThan(5)
    for (const { value } of mutual) {
      const body = translator.answer(route, structuredClone(value), call).body as { readonly Data: unknown }
      expect(body.Data).toEqual(withoutNulls((value as { readonly data: unknown }).data))
    }
  })

  test('and back again it is what the LFI said', () => {
    const lfiSchema = registry.responseSchema(route.lfi.document, route.lfi.operationId, route.lfi.answers)
    const back = compile(alike((lfiSchema?.['properties'] as Record<string, Node>)['data'] ?? {}))
    for (const instance of answers.filter(isWhole)) {
      noted.length = 0
      const source = structuredClone(instance.value) as { readonly data?: unknown }
      let body: { readonly Data: unknown }
      try {
        body = translator.answer(route, structuredClone(source), call).body as typeof body
      } catch {
        continue
      }
      if (noted.length > 0) continue
      const expected = source.data ?? (answer.data === 'list' ? [] : undefined)
      expect(back(body.Data, createQuality())).toEqual(back(expected, createQuality()))
      expect(body.Data).toEqual(expected)
    }
  })

  test('what nobody has named does not go through', () => {
    const source = complete(answers) as Record<string, unknown>
    const marked = JSON.parse(JSON.stringify(source), (_key, value: unknown) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? { ...value, zzInternal: 'not for you' }
        : value,
    )
    try {
      expect(JSON.stringify(translator.answer(route, marked, call).body)).not.toContain('zzInternal')
    } catch (thrown) {
      // Where the LFI's own document is closed, the answer is refused as a whole.
      expect((thrown as HubError).code).toBe('GenericError')
    }
  })
})

/** Values at the ends of a tree, in order. */
function leaves(value: unknown): readonly unknown[] {
  if (typeof value !== 'object' || value === null) return [value]
  return Object.values(value).flatMap(leaves)
}

/** A member that is null says nothing, and nothing of it goes through (lfi-api 3.5). */
function withoutNulls(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_name, member: unknown) => (member === null ? undefined : member)))
}
