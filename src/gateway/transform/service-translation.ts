/** Bodies of operations for a client, both ways: checked, translated by their row, checked again. */
import type { Check, Node, SchemaRegistry } from '../../schema-registry.ts'
import type { LfiMeta, Links } from '../paging.ts'
import { keyOf, type ServiceRoute } from '../routes.ts'
import { alike } from './alike.ts'
import type { Translation } from './index.ts'
import { readMeta } from './meta.ts'
import { createQuality, noting, type OnDeviation, type Quality, unfit } from './quality.ts'
import { repair } from './repair.ts'
import { SERVICES, type Service } from './services.ts'
import { type Convert, compile } from './shape.ts'

/** What a row cannot know of an answer. */
export type ServiceCall = {
  readonly pages: (meta: LfiMeta, records: number) => { readonly links: Links; readonly totalPages: number }
  /** Address at the hub of what the answer is about. */
  readonly self: (data: Readonly<Record<string, unknown>>) => string
}
export type ServiceTranslator = {
  /** Body for the LFI, written out; undefined where there is none. */
  ask(route: ServiceRoute, body: unknown): string | undefined
  /** The LFI's answer as its document describes it, for who does not pass it on. @throws HubError GenericError */
  check(route: ServiceRoute, lfiBody: unknown): unknown
  /** @throws HubError GenericError when the answer cannot be passed on */
  answer(route: ServiceRoute, lfiBody: unknown, call: ServiceCall): Translation
}
type Compiled = {
  readonly ask: Convert | null
  readonly lfi: Check | null
  readonly tpp: Check | null
  readonly data: Convert
  readonly links: Convert
  readonly meta: Convert
}

export function createServiceTranslator(
  routes: readonly ServiceRoute[],
  registry: SchemaRegistry,
  onDeviation: OnDeviation,
): ServiceTranslator {
  const compiled = new Map(routes.map((route) => [keyOf(route), compileRoute(route, registry)]))
  const of = (route: ServiceRoute): Compiled => {
    const found = compiled.get(keyOf(route))
    if (found === undefined) throw new Error(`no translation for ${route.operationId}`)
    return found
  }
  const requireFit = (route: ServiceRoute, body: unknown, quality: Quality): void => {
    const { lfi } = of(route)
    const { records } = SERVICES[route.service].answer
    if (lfi === null || !repair(body, lfi, ['data', ...records], quality)) {
      throw unfit('the answer does not have the form of Ozone Connect', quality)
    }
  }
  return {
    ask(route, body) {
      const { ask } = of(route)
      return ask === null ? undefined : JSON.stringify(ask(body, createQuality()))
    },
    check: (route, lfiBody) =>
      noting(route.lfi.operationId, onDeviation, (quality) => {
        requireFit(route, lfiBody, quality)
        return lfiBody
      }),
    answer: (route, lfiBody, call) =>
      noting(route.lfi.operationId, onDeviation, (quality) => {
        requireFit(route, lfiBody, quality)
        const { tpp } = of(route)
        const { body, records } = assemble(route, of(route), lfiBody, call, quality)
        const path = ['Data', ...SERVICES[route.service].answer.records]
        if (tpp === null || !repair(body, tpp, path, quality)) {
          throw unfit('the answer cannot be given the documented form', quality)
        }
        return { body, records, quality: quality.report() }
      }),
  }
}

function compileRoute(route: ServiceRoute, registry: SchemaRegistry): Compiled {
  const { ask, answer }: Service = SERVICES[route.service]
  const tpp = registry.responseSchema(route.document, route.operationId, route.answers)
  const part = (name: string): Convert => compile(alike(member(tpp, name)))
  if (answer.data !== 'none' && tpp === null) throw new Error(`${route.operationId} has no body`)
  return {
    ask: ask && compile(ask),
    lfi: registry.response(route.lfi.document, route.lfi.operationId, route.lfi.answers),
    tpp: registry.response(route.document, route.operationId, route.answers),
    data: part('Data'),
    links: part('Links'),
    meta: part('Meta'),
  }
}

function member(schema: Node | null, name: string): Node {
  const properties = (schema?.['properties'] ?? {}) as Readonly<Record<string, Node>>
  return properties[name] ?? {}
}

type Source = { readonly data?: unknown; readonly links?: unknown; readonly meta?: unknown }

function assemble(route: ServiceRoute, compiled: Compiled, lfiBody: unknown, call: ServiceCall, quality: Quality) {
  const { answer }: Service = SERVICES[route.service]
  const source = lfiBody as Source
  // A list that is left out is an empty one.
  const data = compiled.data(source.data ?? (answer.data === 'list' ? [] : undefined), quality)
  const records = Array.isArray(data) ? data.length : 1
  const pages = answer.links === 'pages' ? call.pages(readMeta(source.meta), records) : null
  const links =
    pages?.links ??
    (answer.links === 'own'
      ? { ...asObject(compiled.links(source.links ?? {}, quality)), Self: call.self(asObject(data)) }
      : null)
  const meta = {
    none: null,
    empty: {},
    given: compiled.meta(source.meta, quality),
    pages: { TotalPages: pages?.totalPages ?? 1 },
  }[answer.meta]
  const body = {
    ...(data === undefined ? {} : { Data: data }),
    ...(links === null ? {} : { Links: links }),
    ...(meta === null ? {} : { Meta: meta }),
  }
  return { body, records }
}

const asObject = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
