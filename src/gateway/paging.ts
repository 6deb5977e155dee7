/** Pages of the LFI as pages of the hub (lfi-api 3.4). One call of the TPP is one page at the LFI, never a loop. */

export const PAGE_MAX = 100_000

/** What the LFI said about the rest of the result; null where it said nothing usable. */
export type LfiMeta = { readonly totalPages: number | null; readonly paginated: boolean | null }
export type Links = {
  readonly Self: string
  readonly First?: string
  readonly Prev?: string
  readonly Next?: string
  readonly Last?: string
}

/** 1 where the query names none; null where it is no page number. */
export function readPage(text: string | undefined): number | null {
  if (text === undefined) return 1
  const page = /^[1-9]\d{0,5}$/.test(text) ? Number(text) : 0
  return page >= 1 && page <= PAGE_MAX ? page : null
}

/**
 * Pages of the whole result. An LFI that gives no number has told everything up to this page, unless it says that it
 * pages and has filled this one.
 */
export function totalPages(meta: LfiMeta, page: number, records: number, pageSize: number): number {
  const seen = records > 0 ? page : page - 1
  if (meta.totalPages !== null) return records > 0 ? Math.max(meta.totalPages, page) : meta.totalPages
  return meta.paginated === true && records >= pageSize ? page + 1 : seen
}

/**
 * `path` is the one that the TPP called, under the hub's public origin; `filters` are its own query parameters
 * without the page. Nothing of the LFI's addresses is in here.
 */
export function linksOf(call: {
  readonly origin: string
  readonly path: string
  readonly filters: readonly (readonly [string, string])[]
  readonly page: number
  readonly pageGiven: boolean
  readonly totalPages: number
}): Links {
  const { page, totalPages: total } = call
  const at = (number: number | null): string => {
    const query = new URLSearchParams([...call.filters.map(([name, value]) => [name, value] as [string, string])])
    if (number !== null) query.set('page', String(number))
    const text = query.toString()
    return `${call.origin}${call.path}${text === '' ? '' : `?${text}`}`
  }
  const Self = at(call.pageGiven ? page : null)
  if (total <= 1 && page === 1) return { Self }
  return {
    Self,
    First: at(1),
    ...(page > 1 ? { Prev: at(Math.max(1, Math.min(page - 1, total))) } : {}),
    ...(page < total ? { Next: at(page + 1) } : {}),
    Last: at(Math.max(1, total)),
  }
}
