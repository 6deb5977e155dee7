/** Media types of answers and bodies (tpp-api 5.0). */
import { HubError } from '../errors.ts'

/** In order of preference: the first is what a caller gets that does not choose. */
export const OFFERS = ['application/json; charset=utf-8', 'application/json', 'application/jwt'] as const
export type Offer = (typeof OFFERS)[number]

type Range = { readonly type: string; readonly charset: string | null; readonly q: number }

type Fit = { readonly specificity: number; readonly q: number }

/** The offer with the highest weight, among equals the one named most exactly, then the earlier; null for none. */
export function negotiate(accept: string | undefined, offers: readonly Offer[]): Offer | null {
  const ranges = accept === undefined || accept.trim() === '' ? [EVERYTHING] : accept.split(',').map(readRange)
  let best: (Fit & { readonly offer: Offer }) | null = null
  for (const offer of offers) {
    const { q, specificity } = fitOf(offer, ranges)
    if (q === 0) continue
    if (best === null || q > best.q || (q === best.q && specificity > best.specificity))
      best = { offer, q, specificity }
  }
  return best?.offer ?? null
}

const EVERYTHING: Range = { type: '*/*', charset: null, q: 1 }

function readRange(text: string): Range {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
  const named = new Map(parameters.map((parameter) => parameter.split('=', 2).map((s) => s.trim()) as [string, string]))
  return { type, charset: named.get('charset')?.replaceAll('"', '') ?? null, q: readQuality(named.get('q')) }
}

/** RFC 9110 12.4.2; what is not a weight does not ask for anything. */
const readQuality = (text: string | undefined): number =>
  text === undefined ? 1 : /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(text) ? Number(text) : 0

/** RFC 9110 12.5.1: of the ranges that take the offer the most specific one gives the weight. */
function fitOf(offer: Offer, ranges: readonly Range[]): Fit {
  let best: Fit = { specificity: 0, q: 0 }
  for (const range of ranges) {
    const specificity = specificityOf(offer, range)
    if (specificity > best.specificity) best = { specificity, q: range.q }
  }
  return best
}

/** 0 where the range does not take the offer. */
function specificityOf(offer: Offer, range: Range): number {
  if (range.type === '*/*') return 1
  if (range.type === 'application/*') return 2
  const [type, charset] = offer.split('; charset=') as [string, string | undefined]
  if (range.type !== type) return 0
  if (range.charset === null) return charset === undefined ? 4 : 3
  return range.charset === charset ? 5 : 0
}

/** `raw`: whatever it is, it goes on as it is. */
export type BodyType = 'none' | 'json' | 'jwt' | 'raw'

/** @throws HubError UnsupportedMediaType where the declared content is not among the operation's. */
export function readBodyType(headers: {
  readonly contentType: string | undefined
  readonly contentEncoding: string | undefined
  readonly hasBody: boolean
  readonly accepted: readonly string[]
}): BodyType {
  if (!headers.hasBody) return 'none'
  const encoding = headers.contentEncoding?.trim().toLowerCase() ?? 'identity'
  const [type = '', ...parameters] = (headers.contentType ?? '').split(';').map((part) => part.trim().toLowerCase())
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))?.slice('charset='.length)
  if (headers.accepted.includes('*/*') && encoding === 'identity') return 'raw'
  const listed = headers.accepted.some((accepted) => accepted.split(';', 1)[0] === type)
  if (!listed || encoding !== 'identity' || (charset !== undefined && charset.replaceAll('"', '') !== 'utf-8')) {
    throw new HubError('UnsupportedMediaType', {
      rule: 'content-type.listed',
      detail: 'content type or encoding is not listed for the operation',
    })
  }
  return type === 'application/jwt' ? 'jwt' : 'json'
}
