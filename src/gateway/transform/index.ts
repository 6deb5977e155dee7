/** From an answer of the LFI to the answer of the TPP: checked, translated, withheld where not permitted, checked. */
import type { AccountId } from '../../ids.ts'
import type { Check, SchemaRegistry } from '../../schema-registry.ts'
import type { LfiMeta, Links } from '../paging.ts'
import { keyOf, type ReadRoute } from '../routes.ts'
import { readMeta } from './meta.ts'
import { noting, type OnDeviation, type Quality, unfit } from './quality.ts'
import { type RecordPath, repair } from './repair.ts'
import { RESOURCES, type Resource } from './resources.ts'
import { type Convert, compile } from './shape.ts'

export type Translation = {
  readonly body: unknown
  readonly records: number
  /** What was wrong with the LFI's answer, if it could be passed on all the same. */
  readonly quality: Readonly<Record<string, number>> | null
}

export type Viewer = {
  /** Accounts of the consent; nothing of any other goes through. */
  readonly accountIds: ReadonlySet<string>
  /** The account asked for; null on operations over all of them. */
  readonly accountId: AccountId | null
  /** Members that the permissions do not open, dotted. */
  readonly withheld: readonly string[]
}
/** Addresses of the pages, once it is known how many there are. */
export type Paging = (meta: LfiMeta, records: number) => { readonly links: Links; readonly totalPages: number }

export type Translator = {
  /** @throws HubError GenericError when the answer cannot be passed on */
  translate(route: ReadRoute, lfiBody: unknown, viewer: Viewer, paging: Paging): Translation
}

type Compiled = { readonly lfi: Check; readonly tpp: Check; readonly converts: Map<string, Convert> }
/** Permissions come in a handful of combinations; more different ones than this would be a fault. */
const VARIANTS_MAX = 64

export function createTranslator(
  routes: readonly ReadRoute[],
  registry: SchemaRegistry,
  onDeviation: OnDeviation,
): Translator {
  const compiled = new Map<string, Compiled>(
    routes.map((route) => [
      keyOf(route),
      {
        lfi: bodyCheck(registry, 'data-sharing', route.lfi.operationId),
        tpp: bodyCheck(registry, route.document, route.operationId),
        converts: new Map(),
      },
    ]),
  )

  const translate: Translated = (route, lfiBody, viewer, paging, quality) => {
    const checks = compiled.get(keyOf(route))
    if (checks === undefined) throw new Error(`no translation for ${route.operationId}`)
    const resource: Resource = RESOURCES[route.resource]
    if (!repair(lfiBody, checks.lfi, lfiRecords(resource), quality)) {
      throw unfit('the answer does not have the form of Ozone Connect', quality)
    }
    const source = lfiBody as { readonly data?: unknown; readonly meta?: unknown }
    const made = LAYOUTS[resource.layout](source.data, {
      resource,
      viewer,
      quality,
      convert: variant(checks, resource, viewer.withheld),
    })
    if (made === null) throw unfit('the answer is of another account, or has no data', quality)
    const { links, totalPages } = paging(readMeta(source.meta), made.records)
    const body = {
      Data: made.data,
      Links: links,
      Meta: { TotalPages: totalPages, ...available(resource, source.meta) },
    }
    if (!repair(body, checks.tpp, tppRecords(resource), quality)) {
      throw unfit('the answer cannot be given the documented form', quality)
    }
    return { body, records: made.records, quality: quality.report() }
  }
  return {
    translate: (route, lfiBody, viewer, paging) =>
      noting(route.lfi.operationId, onDeviation, (quality) => translate(route, lfiBody, viewer, paging, quality)),
  }
}

type Translated = (...asked: [...Parameters<Translator['translate']>, Quality]) => Translation

function bodyCheck(registry: SchemaRegistry, document: ReadRoute['document'], operationId: string): Check {
  const check = registry.response(document, operationId, 200)
  if (check === null) throw new Error(`${operationId} in ${document} has no body`)
  return check
}

function variant(compiled: Compiled, resource: Resource, withheld: readonly string[]): Convert {
  const key = withheld.join(' ')
  const known = compiled.converts.get(key)
  if (known !== undefined) return known
  const made = compile({ members: resource.members }, new Set(withheld))
  if (compiled.converts.size < VARIANTS_MAX) compiled.converts.set(key, made)
  return made
}

type Work = {
  readonly resource: Resource
  readonly viewer: Viewer
  readonly quality: Quality
  readonly convert: Convert
}
type Made = { readonly data: Readonly<Record<string, unknown>>; readonly records: number }
type Layout = (data: unknown, work: Work) => Made | null

const LAYOUTS: Readonly<Record<Resource['layout'], Layout>> = {
  'each-account': (data, work) => {
    const records = ownRecords(data, work, (id) => work.viewer.accountIds.has(id))
    return records && { data: { [work.resource.name]: records }, records: records.length }
  },
  'of-account': (data, work) => {
    const records = ownRecords(data, work, (id) => id === work.viewer.accountId)
    return (
      records && { data: { AccountId: work.viewer.accountId, [work.resource.name]: records }, records: records.length }
    )
  },
  'one-account': (data, { resource, viewer, quality, convert }) =>
    accountOf(data, resource) === viewer.accountId
      ? { data: { AccountId: viewer.accountId, [resource.name]: convert(data, quality) }, records: 1 }
      : null,
  statements: (data, { resource, viewer, quality, convert }) => {
    if (accountOf(data, resource) !== viewer.accountId) return null
    const { AccountSubType, Statements } = data as { readonly AccountSubType: unknown; readonly Statements: unknown }
    if (!Array.isArray(Statements)) return null
    const records = Statements.map((record) => convert(record, quality))
    return { data: { AccountId: viewer.accountId, AccountSubType, [resource.name]: records }, records: records.length }
  },
  'one-party': (data, { resource, quality, convert }) =>
    data === undefined ? null : { data: { [resource.name]: convert(data, quality) }, records: 1 },
}

/** Records of accounts that the consent does not cover stay here, whatever made the LFI send them. */
function ownRecords(data: unknown, work: Work, isOwn: (accountId: string) => boolean): readonly unknown[] | null {
  if (!Array.isArray(data)) return null
  const { resource, quality, convert } = work
  const records: unknown[] = []
  for (const record of data) {
    if (resource.accountAt === null || isOwn(accountOf(record, resource) ?? '')) records.push(convert(record, quality))
    else quality.note('data[]', 'other-account')
  }
  return records
}

function accountOf(record: unknown, resource: Resource): string | null {
  if (typeof record !== 'object' || record === null || resource.accountAt === null) return null
  const id = (record as Readonly<Record<string, unknown>>)[resource.accountAt]
  return typeof id === 'string' ? id : null
}

/** Only statements say from when to when there are any. */
function available(resource: Resource, meta: unknown): Readonly<Record<string, unknown>> {
  if (resource.layout !== 'statements' || typeof meta !== 'object' || meta === null) return {}
  const { firstAvailableDateTime: first, lastAvailableDateTime: last } = meta as Readonly<Record<string, unknown>>
  return {
    ...(typeof first === 'string' ? { FirstAvailableDateTime: first } : {}),
    ...(typeof last === 'string' ? { LastAvailableDateTime: last } : {}),
  }
}

const lfiRecords = ({ layout }: Resource): RecordPath =>
  layout === 'statements'
    ? ['data', 'Statements', '#']
    : layout === 'one-account' || layout === 'one-party'
      ? ['data']
      : ['data', '#']
const tppRecords = ({ layout, name }: Resource): RecordPath =>
  layout === 'one-account' || layout === 'one-party' ? ['Data', name] : ['Data', name, '#']
