#!/usr/bin/env node
/**
 * The verifier: one file, nothing but Node.js (22.18 or newer runs it as it stands), no network, no database, and no
 * line shared with the program that made the log. To be read in an hour; docs/audit/format.md has the formats.
 *
 *     node falaj-verify.ts <export folder> [--key <verifier key>] [--policy <file>] [--checkpoint <file>]… [--json]
 *          [--reports] [--compare <filed report>]… [--period <first day>/<last day>] [--tpp <organisation>]
 *     node falaj-verify.ts receipt <file>  [--key <verifier key>] [--policy <file>] [--json]
 *
 * Exit status: 0 verified, 1 not verified (the first fault, or the first figure that differs, is named), 2 there was
 * nothing to judge.
 *
 * The order of the chapters: hashes · notes and keys · policy · files · entries · reports · a filed report · the raw log ·
 * the walk · the lists of an export · receipts · words.
 */
import { createPublicKey, hash, verify } from 'node:crypto'
import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

/** What is wrong, and from which entry on nothing can be relied upon; null where no entry can be named. */
export type FirstBad = { readonly where: string; readonly index: number | null; readonly reason: string }

class Fault extends Error {
  readonly bad: FirstBad
  constructor(where: string, index: number | null, reason: string) {
    super(reason)
    this.bad = { where, index, reason }
  }
}
/** The first thing that does not hold ends the verification. */
function need(holds: boolean, where: string, index: number | null, reason: string): asserts holds {
  if (!holds) throw new Fault(where, index, reason)
}
/** There is nothing to judge: exit status 2. */
export class NothingToJudge extends Error {}

// ── Hashes: RFC 6962 2.1 ─────────────────────────────────────────────────────────────────────────────────────────────

const WIDTH = 256
/** One piece of memory for what is hashed next: a million small buffers would cost more than their hashes. */
const scratch = Buffer.alloc(1 << 17)
const hashScratch = (length: number): Buffer => hash('sha256', scratch.subarray(0, length), 'buffer')

export function leafHash(bytes: Buffer): Buffer {
  scratch[0] = 0x00
  return hashScratch(1 + bytes.copy(scratch, 1))
}

export function nodeHash(left: Buffer, right: Buffer): Buffer {
  scratch[0] = 0x01
  left.copy(scratch, 1)
  right.copy(scratch, 33)
  return hashScratch(65)
}

/** The left half of a tree is the largest complete one that is smaller than the whole. */
export function rootOf(hashes: readonly Buffer[]): Buffer {
  if (hashes.length === 1) return hashes[0] as Buffer
  let left = 1
  while (left * 2 < hashes.length) left *= 2
  return nodeHash(rootOf(hashes.slice(0, left)), rootOf(hashes.slice(left)))
}

/** The root of a tree whose incomplete tiles, from the lowest level up, are these. */
function rootOfEdge(edge: readonly (readonly Buffer[])[]): Buffer {
  let right: readonly Buffer[] = []
  for (const hashes of edge) if (hashes.length + right.length > 0) right = [rootOf([...hashes, ...right])]
  return right[0] ?? hash('sha256', '', 'buffer')
}

function parseHash(text: string | undefined): Buffer | null {
  const value = Buffer.from(text ?? '', 'base64')
  return value.length === 32 && value.toString('base64') === text ? value : null
}

// ── Notes and keys: C2SP signed-note, tlog-checkpoint, tlog-cosignature ──────────────────────────────────────────────

const LOG = 0x01
const WITNESS = 0x04

/** `<name>+<id>+<base64 of type and key>`; the id is the beginning of a hash over the rest. */
export function parseKey(text: string) {
  const [, name = '', id = '', encoded = ''] = /^([^\s+]+)\+([0-9a-f]{8})\+(\S+)$/u.exec(text) ?? []
  const typed = Buffer.from(encoded, 'base64')
  const type = typed[0]
  if (typed.length !== 33 || typed.toString('base64') !== encoded || (type !== LOG && type !== WITNESS)) return null
  const digest = hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), typed]), 'hex')
  if (digest.slice(0, 8) !== id) return null
  const x = typed.subarray(1).toString('base64url')
  return { text, name, id, type, key: createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }) }
}

export type Key = NonNullable<ReturnType<typeof parseKey>>

export function parseCheckpoint(bytes: Buffer) {
  const note = bytes.toString('utf8')
  const end = note.lastIndexOf('\n\n')
  if (!Buffer.from(note).equals(bytes) || end < 0 || !note.endsWith('\n')) return null
  const text = note.slice(0, end + 1)
  const [origin = '', size = '', root, ...extensions] = text.split('\n')
  const rootHash = parseHash(root)
  if (origin === '' || !/^(0|[1-9]\d{0,14})$/.test(size) || rootHash === null || extensions.pop() !== '') return null
  const signatures: { readonly name: string; readonly id: string; readonly bytes: Buffer }[] = []
  for (const line of note.slice(end + 2, -1).split('\n')) {
    const [, name, encoded = ''] = /^— ([^\s+]+) (\S+)$/u.exec(line) ?? []
    const raw = Buffer.from(encoded, 'base64')
    if (name === undefined || raw.length < 5 || raw.toString('base64') !== encoded) return null
    signatures.push({ name, id: raw.subarray(0, 4).toString('hex'), bytes: raw.subarray(4) })
  }
  return { origin, size: Number(size), root: rootHash, text, signatures }
}
export type Checkpoint = NonNullable<ReturnType<typeof parseCheckpoint>>

/**
 * When the key signed, in seconds since 1970, or 0 for a key of the log, which says no time; null when it did not.
 * Lines of other keys are ignored; a line of this key that does not verify spoils the checkpoint.
 */
export function signedAt(checkpoint: Checkpoint, { name, id, type, key }: Key): number | null {
  const lines = checkpoint.signatures.filter((line) => line.name === name && line.id === id)
  let at: number | null = null
  for (const { bytes } of lines) {
    const seconds = type === LOG ? 0n : bytes.length > 8 ? bytes.readBigUInt64BE() : 0n
    const message = type === LOG ? checkpoint.text : `cosignature/v1\ntime ${seconds}\n${checkpoint.text}`
    if (!verify(null, Buffer.from(message), key, type === LOG ? bytes : bytes.subarray(8))) return null
    at = Number(seconds)
  }
  return at
}

// ── Policy: C2SP tlog-policy ─────────────────────────────────────────────────────────────────────────────────────────

/** Given the names that have cosigned. */
type Rule = (cosigned: ReadonlySet<string>) => boolean
type Policy = {
  readonly logs: readonly Key[]
  readonly witnesses: ReadonlyMap<string, Key>
  readonly quorum: string
  readonly isMet: Rule
}

function parsePolicy(text: string): Policy {
  const logs: Key[] = []
  const witnesses = new Map<string, Key>()
  const rules = new Map<string, Rule>([['none', () => true]])
  const members = new Set<string>()
  let quorum: string | null = null
  const understand = (word: string, [name = '', second = '', ...rest]: readonly string[], count: number): boolean => {
    const key = parseKey(word === 'log' ? name : second)
    if (word === 'log') return key?.type === LOG && logs.push(key) > 0
    if (word === 'quorum') {
      const isFirst = quorum === null
      quorum = name
      return isFirst && count === 1 && rules.has(name)
    }
    if (rules.has(name)) return false
    if (word === 'witness') {
      const isTwice = [...witnesses.values()].some((other) => key !== null && other.key.equals(key.key))
      rules.set(name, (cosigned) => cosigned.has(name))
      return key?.type === WITNESS && !isTwice && witnesses.set(name, key).size > 0
    }
    const parts = rest.flatMap((each) => (each === 'none' ? [] : (rules.get(each) ?? [])))
    const least = second === 'all' ? rest.length : second === 'any' ? 1 : /^[1-9]\d*$/.test(second) ? Number(second) : 0
    rules.set(name, (cosigned) => parts.filter((part) => part(cosigned)).length >= least)
    const areFree = parts.length === rest.length && !rest.some((each) => members.has(each))
    for (const each of rest) members.add(each)
    return word === 'group' && areFree && new Set(rest).size === rest.length && least >= 1 && least <= parts.length
  }
  for (const line of text.split('\n')) {
    const [word = '#', ...args] = line.split(/[ \t]+/).filter((part) => part !== '')
    if (!word.startsWith('#') && !understand(word, args, args.length))
      throw new NothingToJudge(`the policy has a line that is not understood: ${line}`)
  }
  const isMet = rules.get(quorum ?? '')
  if (quorum === null || isMet === undefined) throw new NothingToJudge('the policy has no quorum')
  return { logs, witnesses, quorum, isMet }
}

// ── Files of an export ───────────────────────────────────────────────────────────────────────────────────────────────

export function nameOf(folder: string, n: number, width: number): string {
  let name = String(n % 1000).padStart(3, '0')
  for (let rest = Math.floor(n / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    name = `x${String(rest % 1000).padStart(3, '0')}/${name}`
  }
  return `tile/${folder}/${name}${width === WIDTH ? '' : `.p/${width}`}`
}

type Lines = () => Buffer | null
/** Line by line in constant memory, without the line feed; null at the end. */
function openLines(path: string): Lines {
  const file = openSync(path, 'r')
  const chunk = Buffer.alloc(1 << 20)
  let known = Buffer.alloc(0)
  let at = 0
  let isOver = false
  return () => {
    for (;;) {
      const end = known.indexOf(0x0a, at)
      if (end >= 0 || isOver) {
        const line = known.subarray(at, end < 0 ? known.length : end)
        at += line.length + 1
        return end < 0 && line.length === 0 ? null : line
      }
      const length = readSync(file, chunk)
      known = Buffer.concat([known.subarray(at), chunk.subarray(0, length)])
      at = 0
      isOver = length === 0
      if (isOver) closeSync(file)
    }
  }
}

type Json = Readonly<Record<string, unknown>>
function parseJson(text: Buffer | string | null): Json | null {
  try {
    const value: unknown = JSON.parse(String(text))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null
  } catch {
    return null
  }
}

/**
 * What the export says it holds: entries from `first` up to but not including `end`, in whole bundles. Whatever of it
 * could mislead is checked against what is signed; `fields` is the SHA-256 of fields.json, in base64.
 */
type Manifest = Readonly<Record<'format' | 'origin' | 'publicKey' | 'fields', string>> &
  Readonly<Record<'size' | 'first' | 'end', number>> & { readonly openings: boolean }

function readManifest(dir: string): Manifest {
  const path = join(dir, 'manifest.json')
  if (!existsSync(path)) throw new NothingToJudge(`${dir} holds no manifest.json: it is no finished export`)
  const text = readFileSync(path, 'utf8')
  const { format, origin, publicKey, size, first, end, openings, fields } = (parseJson(text) ?? {}) as Partial<Manifest>
  const manifest = { format, origin, publicKey, size, first, end, openings, fields }
  const isOurs = format === 'falaj-audit-export/v1' && [size, first, end].every((each) => Number.isSafeInteger(each))
  need(isOurs && text === `${JSON.stringify(manifest)}\n`, 'manifest.json', null, 'it is damaged')
  return manifest as Manifest
}

/** `open` fails where there is no such file. */
function orFault<T>(name: string, index: number | null, open: () => T): T {
  try {
    return open()
  } catch {
    throw new Fault(name, index, 'the file is missing')
  }
}
const read = (dir: string, name: string, index: number | null): Buffer =>
  orFault(name, index, () => readFileSync(join(dir, name)))

// ── Entries ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What needs neither quotes nor an apostrophe: nearly everything, and there are a million times sixty of them. */
const PLAIN = /^[^=+\-@\t\r\n",][^\r\n",]*$/
/** One cell of a table. A text that a spreadsheet would take for a formula gets an apostrophe. */
function cell(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'number' || (typeof value === 'string' && PLAIN.test(value))) return String(value)
  const plain = Array.isArray(value)
    ? value.join(' ')
    : typeof value === 'object'
      ? `commitment:${String((value as Json)['commitment'])}`
      : String(value)
  const safe = /^[=+\-@\t\r]/.test(plain) ? `'${plain}` : plain
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

function commitmentOf(field: string, salt: string, value: string): string {
  let length = scratch.write(`falaj-commitment/v1\n${field}\n`)
  length += scratch.write(salt, length, 'base64')
  length += scratch.write(value, length)
  return hash('sha256', scratch.subarray(0, length), 'base64')
}

/** Whoever wants to see the entries as they pass; a checker holds them against what else is said of them. */
type Listener = { add(entry: Json, at: number, index: number, bytes: Buffer): void }
type Checker = Listener & { end(): void }

/** field → commitment, of the committed members. */
function commitmentsOf(entry: Json): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const field in entry) {
    const value = entry[field]
    const commitment = typeof value === 'object' && value !== null ? (value as Json)['commitment'] : undefined
    if (typeof commitment === 'string') found.set(field, commitment)
  }
  return found
}

function checkOpening(raw: Json, commitments: ReadonlyMap<string, string>, index: number): string {
  const { field, salt, value } = raw as { readonly field: unknown; readonly salt: unknown; readonly value: unknown }
  // 16 octets in base64 have one way to be written.
  const isSalt = typeof salt === 'string' && /^[A-Za-z0-9+/]{21}[AQgw]==$/.test(salt)
  const isOpening = typeof field === 'string' && isSalt && typeof value === 'string'
  if (!isOpening || commitmentOf(field, salt, value) !== commitments.get(field))
    throw new Fault('opening', index, `value and salt of ${String(field)} do not open the commitment in the entry`)
  return field
}

// ── Reports, recomputed from the entries ─────────────────────────────────────────────────────────────────────────────

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** Days of the reports are days of the Gulf, UTC+4 all year. */
const GULF = 4 * HOUR
/** A call of an operation is to take no longer. */
const LIMIT_US = 500_000

type Row = Readonly<Record<string, string | number | null>>
type Span = { readonly from: number; readonly to: number }
type Sums = Record<string, string | number | null>
/** Null is a question that was not decided: nobody was asked, or the caller hung up before the answer. */
type Judgement = 'up' | 'down' | null
type Down = { readonly subject: string; readonly operation: string | null; readonly from: number; to: number }
type Outage = Span & { readonly subject: string; readonly kind: string }

const dayOf = (at: number): number => Math.floor((at + GULF) / DAY) * DAY - GULF
const dateOf = (at: number): string => new Date(at + GULF).toISOString().slice(0, 10)
const groupOf = (status: number): string => (status >= 500 ? '5xx' : status >= 400 ? '4xx' : '2xx')
const microseconds = (ms: unknown): number | null => (typeof ms === 'number' ? Math.round(ms * 1000) : null)
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** What tells the rows of calls apart. */
const BUCKET = 'door api_set method route organisation_id client_id tpp_group lfi_group'.split(' ')

/** Into the row of this key: its numbers are added up, but for the least and the most of them. */
function collect(rows: Map<string, Sums>, key: unknown, facts: () => Row, figures: Row): void {
  const name = JSON.stringify(key)
  const row = rows.get(name)
  if (row === undefined) rows.set(name, { ...facts(), ...figures })
  else
    for (const column in figures) {
      const [one, other] = [row[column], figures[column]]
      if (typeof other !== 'number') continue
      if (typeof one !== 'number') row[column] = other
      else if (column.endsWith('_min')) row[column] = Math.min(one, other)
      else row[column] = column.endsWith('_max') ? Math.max(one, other) : one + other
    }
}

/** Of times in microseconds; each bound is a tenth above the one before it. */
const BOUNDS = [0]
for (let bound = 0; bound < 600_000_000; BOUNDS.push(bound)) bound += Math.max(1, Math.floor(bound / 10))

function bucketOf(us: number): number {
  let [low, high] = [0, BOUNDS.length]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((BOUNDS[middle] ?? 0) <= us) low = middle
    else high = middle
  }
  return low
}

/** The middle of the bucket in which the slowest of the fastest 95 % of calls is; a column counts for each bucket. */
function p95(row: Row, segment: string): number | null {
  const counts = BOUNDS.map((_, bucket) => Number(row[`${segment} ${bucket}`] ?? 0))
  let missing = Math.ceil(0.95 * counts.reduce((sum, calls) => sum + calls, 0))
  for (const [bucket, first] of BOUNDS.entries()) {
    const calls = counts[bucket] ?? 0
    missing -= calls
    if (calls > 0 && missing <= 0) return Math.round((first + (BOUNDS[bucket + 1] ?? first + 1) - 1) / 2)
  }
  return null
}

/** Rows that agree in these columns become one. */
function sumBy(rows: readonly Row[], columns: readonly string[]): Row[] {
  const found = new Map<string, Sums>()
  const keyOf = (row: Row) => columns.map((name) => row[name])
  for (const row of rows) collect(found, keyOf(row), () => row, row)
  return [...found.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row)
}

/** What is counted of consents and payments, by what an entry calls it. */
const named = (...texts: string[]) => new Map(texts.map((each) => each.split(':') as [string, string]))
const CHANGES = named(
  ...['lodged:Lodged', 'authorize:Authorized', 'reject:Rejected', 'lapse:Lapsed', 'suspend:Suspended'],
  ...['resume:Resumed', 'revoke:Revoked', 'expire:Expired', 'consume:Consumed'],
)
const REVOKERS = named(
  ...['TPP:RevokedByTpp', 'TPP.InitiatedByUser:RevokedByTppForUser'],
  ...['LFI:RevokedByLfi', 'LFI.InitiatedByUser:RevokedByLfiForUser'],
)
const ASKED = named('asked:Asked', 'unanswered:Unanswered')
const STATES = named(
  ...['Pending:Pending', 'Rejected:Rejected', 'refused:Refused', 'AcceptedSettlementCompleted:Successful'],
  ...['AcceptedWithoutPosting:Successful', 'AcceptedCreditSettlementCompleted:Successful'],
)
const OF_CONSENTS = ['Renewals', ...CHANGES.values(), ...REVOKERS.values()]
const OF_PAYMENTS = new Set([...ASKED.values(), ...STATES.values()])

/** Of consents, payments or billing the row that an entry adds to, and by how much. */
function tallied(entry: Json, at: number): { readonly facts: Row; readonly figures: Row } | null {
  const { kind, surface, resource } = entry
  const text = (name: string): string => String(entry[name] ?? '')
  const facts = (Dataset: string, names: string, more: Row = {}): Row => ({
    ...{ Dataset, ReportingPeriodDate: dateOf(at), TppId: text('organisationId'), TppClientId: text('clientId') },
    ...Object.fromEntries(names.split(' ').map((name) => [name, text(name.charAt(0).toLowerCase() + name.slice(1))])),
    ...more,
  })
  const count = (columns: Iterable<string>, ...counted: unknown[]): Row =>
    Object.fromEntries([...columns].map((name) => [name, counted.includes(name) ? 1 : 0]))
  const change = text('change')
  if (kind === 'consent-changed') {
    const revoked = change === 'revoke' && REVOKERS.get(text('revokedBy'))
    const renewed = change === 'lodged' && entry['isRenewal'] === true && 'Renewals'
    const about = facts('consents', 'ConsentType StandardVersion UserType Purpose IsLargeCorporate')
    return { facts: about, figures: count(OF_CONSENTS, CHANGES.get(change), revoked, renewed) }
  }
  if (kind === 'resource-changed' && resource === 'payment') {
    const [before, reached] = [STATES.get(text('from')), STATES.get(text('to'))]
    const transactions = { NumberOfSuccessfulTransactions: Number(entry['successfulTransactions'] ?? 0) }
    // In each state once: a payment goes through several in which it is accepted.
    const figures = count(OF_PAYMENTS, ASKED.get(change), reached !== before && reached)
    return {
      facts: facts('payments', 'PaymentConsentType PaymentType MerchantId'),
      figures: { ...figures, ...transactions },
    }
  }
  if (kind !== 'tpp-call' || surface !== 'rs' || text('apiSet') === '' || text('route') === '') return null
  const called = { HttpMethod: text('method'), Url: text('route'), IsAttended: String(entry['attended'] === true) }
  const more = { ...called, HttpResponseCodeGroup: groupOf(Number(entry['status'])) }
  const figures = { TotalCalls: 1, Records: Number(entry['records'] ?? 0) }
  return { facts: facts('billing', 'ApiSet PaymentType MerchantId', more), figures }
}

/** Who created consents on which version, and the newest in which anybody did so in these days, of that type. */
function versionRows(consents: readonly Row[], first: string, last: string): Row[] {
  const lodged = consents.filter((row) => row['Lodged'] !== 0)
  const created = sumBy(lodged, ['TppId', 'TppClientId', 'ConsentType', 'StandardVersion'])
  return created.map(({ TppId = '', TppClientId = '', ConsentType = '', StandardVersion = '', Lodged = 0 }) => {
    const versions = created.filter((row) => row['ConsentType'] === ConsentType).map((row) => row['StandardVersion'])
    const inOrder = versions.map(String).sort((one, other) => one.localeCompare(other, 'en', { numeric: true }))
    const about = { TppId, TppClientId, ConsentType, StandardVersion, NewestVersion: inOrder.at(-1) ?? '' }
    const period = { PeriodStartDate: first, PeriodEndDate: last }
    return { Dataset: 'versions', ...period, ...about, ConsentsCreated: Lodged }
  })
}

const timeRow = (row: Row): Row => ({
  Dataset: 'times',
  ...Object.fromEntries(Object.entries(row).filter(([name]) => !name.includes(' '))),
  P95Microseconds: p95(row, 'total'),
  P95HubInMicroseconds: p95(row, 'hubIn'),
  P95LfiMicroseconds: p95(row, 'lfi'),
  P95HubOutMicroseconds: p95(row, 'hubOut'),
})

type Recount = {
  add(entry: Json, at: number): void
  /** Consents, payments, billing, and times of operations, by day; `versions` are of these days together. */
  dataset(name: string, first: string, last: string): Row[]
  /** Added up by `hour` or `day`. */
  calls(grain: string): Row[]
  /** Figures of days before this were destroyed by policy, as the log itself records; 0: none were. */
  destroyedBefore(): number
  /** Of one operation, or of all together where none is named. */
  availability(subject: string, span: Span, operation: string | null): Row
}

export function createRecount(): Recount {
  const hours = new Map<string, Sums>()
  const downs: Down[] = []
  const running = new Map<string, Down>()
  const outages = new Map<string, Outage>()
  const tallies = new Map<string, Sums>()
  const times = new Map<string, Sums>()
  let destroyed = 0

  /** The clock starts at the first failure and stops at the first success after it, in the order of the log. */
  const signal = (subject: string, operation: string | null, judged: Judgement, at: number): void => {
    const key = `${subject} ${operation ?? ''}`
    const clock = running.get(key)
    if (judged === 'down' && clock === undefined) {
      const down = { subject, operation, from: at, to: Number.POSITIVE_INFINITY }
      running.set(key, down)
      downs.push(down)
    } else if (judged === 'up' && clock !== undefined) {
      clock.to = Math.max(clock.from, at)
      running.delete(key)
    }
  }
  const addCall = (entry: Json, at: number): void => {
    const lfiUs = microseconds(entry['lfiMs'])
    const totalUs = (microseconds(entry['hubMs']) ?? 0) + (lfiUs ?? 0)
    const status = Number(entry['status'])
    const lfiStatus = typeof entry['lfiStatus'] === 'number' ? entry['lfiStatus'] : null
    const outcome = entry['lfiOutcome'] ?? null
    // No answer of the LFI counts as a failure of it, unless the caller had gone.
    const lfiGroup =
      lfiUs === null ? '' : lfiStatus !== null ? groupOf(lfiStatus) : outcome === 'cancelled' ? '' : '5xx'
    const hour = at - (at % HOUR)
    const route = textOf(entry['route'])
    const method = textOf(entry['method'])
    const apiSet = textOf(entry['apiSet'])
    const clientId = textOf(entry['clientId'] ?? entry['callerClientId'])
    const organisation = textOf(entry['organisationId'])
    const door = textOf(entry['surface'])
    const own = route === '' ? '' : method
    const values = [door, apiSet, own, route, organisation, clientId, groupOf(status), lfiGroup]
    const total = { total_us_min: totalUs, total_us_max: totalUs, total_us_sum: totalUs }
    const ofLfi = { lfi_us_min: lfiUs, lfi_us_max: lfiUs, lfi_us_sum: lfiUs ?? 0 }
    const counts = { calls: 1, attended: entry['attended'] === true ? 1 : 0, records: Number(entry['records'] ?? 0) }
    const figures = { ...counts, over_limit: totalUs > LIMIT_US ? 1 : 0, ...total, ...ofLfi }
    const facts = () => ({ starts_at: hour, ...Object.fromEntries(BUCKET.map((n, i) => [n, values[i] ?? ''])) })
    collect(hours, [hour, values], facts, figures)

    if (door === 'rs' && route !== '') {
      const [hubIn, hubOut] = [microseconds(entry['hubInMs']) ?? 0, microseconds(entry['hubOutMs']) ?? 0]
      const asked = lfiUs === null ? { hubIn: totalUs } : { hubIn, lfi: lfiUs, hubOut }
      const counted: Sums = { TotalCalls: 1, CallsOverLimit: figures.over_limit }
      for (const [segment, us] of Object.entries({ total: totalUs, ...asked }))
        counted[`${segment} ${bucketOf(us)}`] = 1
      const about = { ReportingPeriodDate: dateOf(at), HttpMethod: method, Url: route }
      collect(times, about, () => about, counted)
    }
    // Only operations that are reported on have clocks.
    if (entry['apiSet'] === null || entry['apiSet'] === undefined || typeof entry['route'] !== 'string') return
    const hasFailed = (lfiStatus ?? 0) >= 500 || (outcome !== null && outcome !== 'answered')
    const lfi: Judgement = lfiUs === null || outcome === 'cancelled' ? null : hasFailed ? 'down' : 'up'
    const hub: Judgement = status < 500 ? 'up' : lfi === 'down' ? null : 'down'
    const answered = (microseconds(entry['hubInMs']) ?? 0) + (lfiUs ?? 0)
    signal('lfi', `${method} ${route}`, lfi, at + Math.floor(answered / 1000))
    signal('hub', `${method} ${route}`, hub, at + Math.floor(totalUs / 1000))
  }
  const addTally = (one: ReturnType<typeof tallied>): void => {
    if (one === null || Object.values(one.figures).every((each) => each === 0)) return
    collect(tallies, one.facts, () => one.facts, one.figures)
  }
  /** What was said last of an outage holds. */
  const addOutage = (entry: Json): void => {
    const said = /^outage (\S+) (planned|unplanned) of (lfi|hub) (\S+) (\S+)$/.exec(String(entry['target']))
    const [, id = '', kind = '', subject = '', from = '', to = ''] = said ?? []
    const end = to === 'open' ? Number.POSITIVE_INFINITY : Date.parse(to)
    if (said !== null) outages.set(id, { kind, subject, from: Date.parse(from), to: end })
  }
  return {
    add: (entry, at) => {
      const { kind, event } = entry
      addTally(tallied(entry, at))
      if (kind === 'tpp-call' || kind === 'lfi-request') addCall(entry, at)
      else if (kind === 'admin-act' && String(entry['act']).startsWith('outage ')) addOutage(entry)
      else if (kind === 'system' && event === 'lfi-down') signal('lfi', null, 'down', at)
      else if (kind === 'system' && event === 'lfi-up') signal('lfi', null, 'up', at)
      else if (kind === 'system' && event === 'destroyed')
        destroyed = Math.max(
          destroyed,
          Date.parse(/^before (\S+): (?:report_|outage )/.exec(String(entry['detail']))?.[1] ?? '') || 0,
        )
    },
    destroyedBefore: () => destroyed,
    dataset: (name, first, last) => {
      const isWithin = ({ ReportingPeriodDate: date }: Row) => String(date) >= first && String(date) <= last
      if (name === 'times') return [...times.values()].filter(isWithin).map(timeRow)
      const source = name === 'versions' ? 'consents' : name
      const days = [...tallies.values()].filter((row) => row['Dataset'] === source && isWithin(row))
      return name === 'versions' ? versionRows(days, first, last) : days
    },
    calls: (grain) => {
      const startOf = (at: unknown): string => {
        const start = grain === 'hour' ? Number(at) : dayOf(Number(at))
        return new Date(start).toISOString()
      }
      const rows = [...hours.values()].map((row) => ({ grain, ...row, starts_at: startOf(row['starts_at']) }))
      return sumBy(rows, ['starts_at', ...BUCKET])
    },
    availability: (subject, span, operation) => {
      const declared = [...outages.values()].filter((each) => each.subject === subject)
      const planned = declared.filter(({ kind }) => kind === 'planned')
      // A failed heartbeat means every operation.
      const seen = downs.filter(
        (each) => each.subject === subject && [null, each.operation].includes(each.operation && operation),
      )
      return percentages(span, minutesIn(planned, span), minutesIn([...declared, ...seen], span))
    },
  }
}

/** Of the span, covered by any of these; to the nearest minute. */
function minutesIn(spans: readonly Span[], { from, to }: Span): number {
  let covered = 0
  let reached = from
  for (const span of [...spans].sort((a, b) => a.from - b.from)) {
    const begin = Math.max(span.from, reached)
    const end = Math.min(span.to, to)
    if (end <= begin) continue
    covered += end - begin
    reached = end
  }
  return Math.round(covered / 60_000)
}

/** What was announced is planned also while something else fails; uptime is what remains. */
function percentages(span: Span, planned: number, all: number): Row {
  const total = Math.round((span.to - span.from) / 60_000)
  const down = Math.min(total, Math.max(planned, all))
  const plannedDown = Math.min(total, planned)
  const uptime = total === 0 ? 100 : Math.round((100 * (total - down)) / total)
  return {
    TotalTimeMinutes: total,
    TotalUptimeMinutes: total - down,
    PlannedDowntimeMinutes: plannedDown,
    UnplannedDowntimeMinutes: down - plannedDown,
    TotalDowntimeMinutes: down,
    UptimePercentage: uptime,
    DowntimePercentage: 100 - uptime,
    UnplannedDowntimePercentage:
      total === plannedDown ? 0 : Math.round((100 * (down - plannedDown)) / (total - plannedDown)),
  }
}

/**
 * The five reports to one TPP over some days, as `/tpp-reports` names them. Availability is reported of every operation
 * that the TPP has called, and of others that it may call, which the log does not know.
 */
function tppRows(recount: Recount, tpp: string, first: string, last: string, others: readonly Row[]): Row[] {
  const of = periodOf(first, last)
  const own = recount
    .calls('day')
    .filter((row) => row['door'] === 'rs' && row['api_set'] !== '' && row['organisation_id'] === tpp)
    .filter((row) => Date.parse(String(row['starts_at'])) >= of.from && Date.parse(String(row['starts_at'])) < of.to)
  const edges = { PeriodStartDate: first, PeriodEndDate: last }
  const named = (row: Row) => ({ ApiSet: row['api_set'], HttpMethod: row['method'], Url: row['route'] }) as Row
  const volume = sumBy(own, ['starts_at', 'api_set', 'method', 'route', 'tpp_group']).map((row) => ({
    Type: 'API Call Volume',
    ReportingPeriodDate: dateOf(Date.parse(String(row['starts_at']))),
    ...named(row),
    HttpResponseCodeGroup: row['tpp_group'] as string,
    TotalCalls: row['calls'] as number,
  }))
  const performance = (Type: string, group: string, time: string): Row[] => {
    const rows = sumBy(own, ['api_set', 'method', 'route', group]).filter((row) => row[group] !== '')
    return rows.map((row) => {
      const all = rows.filter((each) => each['method'] === row['method'] && each['route'] === row['route'])
      const calls = (some: readonly Row[]): number => some.reduce((sum, each) => sum + Number(each['calls']), 0)
      return {
        Type,
        ...edges,
        ...named(row),
        HttpResponseCodeGroup: row[group] as string,
        MaximumResponseTimeMicroseconds: row[`${time}_max`] as number,
        MinimumResponseTimeMicroseconds: row[`${time}_min`] as number,
        AverageResponseTimeMicroseconds: Math.round(Number(row[`${time}_sum`]) / Number(row['calls'])),
        TotalCalls: row['calls'] as number,
        ErrorRatePercentage: Math.round((100 * calls(all.filter((each) => each[group] === '5xx'))) / calls(all)),
      }
    })
  }
  const asked = sumBy([...own.map(named), ...others], ['HttpMethod', 'Url'])
  const available = (Type: string, subject: string): Row[] =>
    asked.map(({ ApiSet, HttpMethod, Url }) => ({
      ...{ Type, ...edges, ApiSet: ApiSet ?? null, HttpMethod: HttpMethod ?? null, Url: Url ?? null },
      ...recount.availability(subject, of, `${HttpMethod} ${Url}`),
    }))
  return [
    ...volume,
    ...available('LFI Availability', 'lfi'),
    ...available('OFP Availability', 'hub'),
    ...performance('LFI Performance', 'lfi_group', 'lfi_us'),
    ...performance('OFP Performance', 'tpp_group', 'total_us'),
  ]
}

/** First and last day, both included. */
function periodOf(first: string, last: string): Span {
  const [from, to] = [Date.parse(`${first}T00:00:00Z`) - GULF, Date.parse(`${last}T00:00:00Z`) - GULF + DAY]
  if (!(from < to)) throw new NothingToJudge(`${first} to ${last} is no period of days`)
  return { from, to }
}

/** What is filed of a day says all of it. */
function requireEnded(to: number, until: number): void {
  const end = new Date(until).toISOString()
  if (to > until) throw new NothingToJudge(`the log ends at ${end}, before the days that were reported on`)
}

const DATASETS = ['consents', 'payments', 'billing', 'versions', 'times']

export type Reports = {
  /** The last entry: what had not ended by then is reported up to it. */
  readonly until: string
  readonly lfi: readonly Row[]
  readonly daily: readonly Row[]
  readonly tpps: Readonly<Record<string, readonly Row[]>>
  /** Consents, payments, billing and times by day, and versions of all days together. */
  readonly datasets: Readonly<Record<string, readonly Row[]>>
}

/** Every day that the log knows, the LFI as a whole, and each TPP. */
function reportsOf(recount: Recount, begin: number, until: number): Reports {
  const daily = recount.calls('day')
  const days: Row[] = []
  for (let from = dayOf(begin); from < until; from += DAY) {
    const span = { from, to: Math.min(until, from + DAY) }
    days.push({ Period: dateOf(from), ...recount.availability('lfi', span, null) })
  }
  const tpps: Record<string, Row[]> = {}
  for (const row of sumBy(daily, ['starts_at', 'organisation_id'])) {
    const [tpp, date] = [String(row['organisation_id']), dateOf(Date.parse(String(row['starts_at'])))]
    const rows = tpp === '' ? [] : tppRows(recount, tpp, date, date, [])
    if (rows.length > 0) tpps[tpp] = [...(tpps[tpp] ?? []), ...rows]
  }
  const all = DATASETS.map((name) => [name, recount.dataset(name, dateOf(begin), dateOf(until))])
  return { until: new Date(until).toISOString(), lfi: days, daily, tpps, datasets: Object.fromEntries(all) }
}

// ── A filed report beside the log ────────────────────────────────────────────────────────────────────────────────────

export type Comparison = {
  readonly file: string
  readonly rows: number
  /** First and last day that the file was held to: those given, or else those that it names itself. */
  readonly period: string
  /** Rows of days whose figures were destroyed by policy, and which are not in the file: the log records that. */
  readonly destroyed: number
  readonly difference: string | null
}
type Filed = { readonly file: string; readonly text: string }

/** Columns that say what a row is about. All others are figures, but for the name of the LFI, which no entry has. */
const ABOUT = [
  ...'Type ReportingPeriodDate PeriodStartDate PeriodEndDate ApiSet HttpMethod Url HttpResponseCodeGroup'.split(' '),
  ...['Period', 'grain', 'starts_at', ...BUCKET],
  ...'Dataset TppId TppClientId ConsentType StandardVersion UserType Purpose IsLargeCorporate'.split(' '),
  ...'PaymentConsentType PaymentType MerchantId IsAttended'.split(' '),
]
const UNKNOWN_TO_THE_LOG = ['LfiId', 'LfiName']

const written = (value: unknown): string => (value === null || value === undefined ? '' : String(value))
const about = (row: Row): string =>
  ABOUT.filter((name) => name in row)
    .map((name) => written(row[name]))
    .join(' | ')

function parseFiled({ file, text }: Filed): Row[] {
  if (!/^\s*[[{]/.test(text)) return parseTable(text)
  try {
    const value = JSON.parse(text) as { readonly Data?: unknown }
    const rows = Array.isArray(value) ? value : value.Data
    if (Array.isArray(rows) && rows.every((row) => typeof row === 'object' && row !== null)) return rows as Row[]
  } catch {
    // Said below.
  }
  throw new NothingToJudge(`${file} is neither a list of rows in JSON nor a table in CSV`)
}

/** RFC 4180; an apostrophe in front of what a spreadsheet would take for a formula is taken away. */
function parseTable(text: string): Row[] {
  const lines: string[][] = [[]]
  for (const [, quoted, plain = '', end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    const value = quoted?.replaceAll('""', '"') ?? plain
    lines.at(-1)?.push(value.replace(/^'(?=[=+\-@\t\r])/, ''))
    if (end !== ',') lines.push([])
  }
  const [names = [], ...rows] = lines.filter((line) => line.length > 1 || (line[0] ?? '') !== '')
  return rows.map((row) => Object.fromEntries(names.map((name, at) => [name, row[at] ?? ''])))
}

/** The first figure of a filed report that is not what the entries say. */
function compare(filed: Filed, recount: Recount, until: number, { tpp, period }: VerifyOptions): Comparison {
  const rows = parseFiled(filed)
  if (rows.length === 0) throw new NothingToJudge(`${filed.file} has no rows`)
  const [row = {}] = rows
  const kind = ['Dataset', 'grain', 'Period', 'Type'].find((name) => name in row)
  if (kind === undefined) throw new NothingToJudge('it is no report that can be recomputed')
  if (kind === 'Type' && tpp === undefined)
    throw new NothingToJudge('whose report it is has to be said: --tpp <organisation>')
  const days = period?.split('/') ?? daysIn(rows)
  const [first = '', last = first] = days
  requireEnded(periodOf(first, last).to, until)
  const expected = new Map(recomputed(rows, recount, first, last, tpp ?? '').map((row) => [about(row), row]))
  const isDestroyed = (row: Row): boolean => startOf(row) < recount.destroyedBefore()
  const met = new Set<string>()
  const missing = () => [...expected].filter(([name]) => !met.has(name)).map(([, row]) => row)
  const judged = (difference: string | null): Comparison => ({
    ...{ file: filed.file, rows: rows.length, period: `${first}/${last}`, difference },
    destroyed: missing().filter(isDestroyed).length,
  })
  for (const row of rows) {
    const name = about(row)
    const right = expected.get(name)
    if (right === undefined) return judged(`${name}: the log has nothing of this`)
    if (met.has(name)) return judged(`${name}: it is there twice`)
    met.add(name)
    for (const column of new Set([...Object.keys(right), ...Object.keys(row)])) {
      if (UNKNOWN_TO_THE_LOG.includes(column) || written(row[column]) === written(right[column])) continue
      return judged(`${name}: ${column} is filed as ${written(row[column])}, the log has ${written(right[column])}`)
    }
  }
  const left = missing().find((row) => !isDestroyed(row))
  return judged(left === undefined ? null : `${about(left)}: it is missing`)
}

const DATED = 'Period PeriodStartDate PeriodEndDate ReportingPeriodDate'.split(' ')
/** Every day that the rows name, in order. */
const daysIn = (rows: readonly Row[]): string[] => {
  const named = rows.flatMap((row) => DATED.flatMap((name) => written(row[name]).split('/')))
  const begun = rows.flatMap(({ starts_at: at }) => (at === undefined ? [] : [dateOf(Date.parse(String(at)))]))
  const days = [...named, ...begun].filter((day) => day !== '').sort()
  return [days[0] ?? '', days.at(-1) ?? '']
}
const startOf = (row: Row): number =>
  'starts_at' in row ? Date.parse(String(row['starts_at'])) : periodOf(daysIn([row])[0] ?? '', '9999-12-31').from

/** What the file should hold: of its reports and of these days, every row. */
function recomputed(rows: readonly Row[], recount: Recount, first: string, last: string, tpp: string): Row[] {
  const [row = {}] = rows
  const { from, to } = periodOf(first, last)
  const isWithin = (each: Row): boolean => startOf(each) >= from && startOf(each) < to
  if ('Dataset' in row) return recount.dataset(String(row['Dataset']), first, last)
  if ('grain' in row) return recount.calls(String(row['grain'])).filter(isWithin)
  if ('Period' in row) {
    // A row for each day, and where there is one of all of them, that.
    const spans = rows.map((each) => String(each['Period'])).filter((each) => each.includes('/'))
    for (let day = from; day < to; day += DAY) spans.push(dateOf(day))
    return spans.map((Period) => {
      const [begin = '', end = begin] = Period.split('/')
      return { Period, ...recount.availability('lfi', periodOf(begin, end), null) }
    })
  }
  const types = new Set(rows.map((each) => String(each['Type'])))
  const others = rows.filter((each) => String(each['Type']).endsWith('Availability'))
  return tppRows(recount, tpp, first, last, others).filter((each) => types.has(String(each['Type'])))
}

// ── The raw log beside the log ───────────────────────────────────────────────────────────────────────────────────────

/** Takes the entries as they come, and holds line after line of the file against the calls among them. */
type RawLog = Listener & { end(until: number): Comparison }

/** The row of one call. Who the LFI is in the trust framework is in no entry. */
function rawRow(entry: Json, at: number, index: number, lfiId: unknown): Json {
  const text = (name: string): string | null => (typeof entry[name] === 'string' ? entry[name] : null)
  const count = (name: string): number | null => (typeof entry[name] === 'number' ? entry[name] : null)
  const lfiUs = microseconds(entry['lfiMs'])
  const lfi = lfiUs === null ? null : { status: count('lfiStatus'), outcome: text('lfiOutcome') }
  // No answer of the LFI counts as a failure of it, unless the caller had gone.
  const failed = lfi === null || lfi.outcome === 'cancelled' ? null : '5xx'
  const status = count('status') ?? 0
  // biome-ignore format: columns that belong together stand together
  return {
    Timestamp: new Date(at).toISOString(), LfiId: lfiId,
    TppId: text('organisationId'), TppClientId: text('clientId') ?? text('callerClientId'),
    TppSoftwareStatementId: text('softwareStatementId'),
    ApiSet: text('apiSet'), HttpMethod: text('method') ?? '', UrlTemplate: text('route'),
    TppResponseCodeGroup: groupOf(status),
    ExecutionTime: Math.round(((microseconds(entry['hubMs']) ?? 0) + (lfiUs ?? 0)) / 1000),
    InteractionId: text('interactionId'), ResourceName: text('resource'),
    LfiResponseCodeGroup: typeof lfi?.status === 'number' ? groupOf(lfi.status) : failed,
    IsAttended: entry['attended'] === true, Records: count('records'),
    PaymentType: text('paymentType'), MerchantId: text('merchantId'),
    Door: text('surface') ?? '', Status: status, ErrorCode: text('errorCode'), Rule: text('rule'),
    LfiStatus: lfi?.status ?? null, LfiOutcome: lfi?.outcome ?? null,
    HubInMicroseconds: microseconds(entry['hubInMs']), LfiMicroseconds: lfiUs,
    HubOutMicroseconds: microseconds(entry['hubOutMs']),
    LogSequence: index,
  }
}

/** Its first line names this column: the header of a table, or the first of the rows. */
const isRawLog = (file: string): boolean => String(openLines(file)()).includes('LogSequence')

function openRawLog(file: string, period: string | undefined): RawLog {
  if (period === undefined) throw new NothingToJudge('of which days a raw log is has to be said: --period')
  const [first = '', last = first] = period.split('/')
  const { from, to } = periodOf(first, last)
  const lines = openLines(file)
  const next = (): string | null => lines()?.toString('utf8') ?? null
  let line = next()
  const header = line?.startsWith('{') ? null : line
  if (header !== null) line = next()
  const rowOf = (text: string | null): Json | null =>
    header === null || text === null ? parseJson(text) : (parseTable(`${header}\n${text}\n`)[0] ?? null)
  const form = header === null ? JSON.stringify : written
  const lfiId = rowOf(line)?.['LfiId']
  let rows = 0
  let difference: string | null = null

  const differenceOf = (right: Json, index: number): string | null => {
    const row = rowOf(line)
    const here = written(row?.['LogSequence'])
    if (line === null) return `entry ${index} is missing: the file ends before it`
    if (row === null || here === '') return `row ${rows} cannot be read, where entry ${index} belongs`
    if (here === String(index)) {
      const names = [...new Set([...Object.keys(right), ...Object.keys(row)])]
      const name = names.find((each) => form(row[each]) !== form(right[each]))
      if (name === undefined) return null
      return `row ${rows}, entry ${index}: ${name} is filed as ${written(row[name])}, the log has ${written(right[name])}`
    }
    return `row ${rows}: entry ${here} stands where entry ${index} belongs`
  }
  return {
    add: (entry, at, index) => {
      const isCall = entry['kind'] === 'tpp-call' || entry['kind'] === 'lfi-request'
      if (!isCall || at < from || at >= to || difference !== null) return
      const right = rawRow(entry, at, index, lfiId)
      const text = header === null ? JSON.stringify(right) : `${Object.values(right).map(cell).join(',')}\r`
      // A text in a table may hold line feeds.
      for (let more = text.split('\n').length; more > 1; more -= 1) line = `${line}\n${next()}`
      rows += 1
      // What is written otherwise may still be the same.
      if (line !== text) difference = differenceOf(right, index)
      line = next()
    },
    end: (until) => {
      requireEnded(to, until)
      if (line !== null) difference ??= `row ${rows + 1}: the log has no further call of these days`
      return { file, rows, period, destroyed: 0, difference }
    },
  }
}

// ── The walk over an export ──────────────────────────────────────────────────────────────────────────────────────────

/** What a policy of witnesses says, and who of them has cosigned, and when. Without a policy nobody was asked. */
const unwitnessed = () => ({
  quorum: null as string | null,
  isQuorumMet: null as boolean | null,
  witnesses: [] as { name: string; key: string; at: string }[],
  absent: [] as { name: string; key: string }[],
})

const emptyVerdict = () => ({
  ok: false,
  origin: null as string | null,
  tenantId: null as string | null,
  size: 0,
  root: null as string | null,
  /** Entries whose bytes were in the export and are good. */
  entriesRead: 0,
  publicKey: null as string | null,
  /** False: the key was taken from the export itself, so whoever made it also chose the key. */
  isKeyGiven: false,
  keys: 0,
  /** Whose lines the checkpoint has: name+id. Those of witnesses are judged by a policy only. */
  signatures: [] as readonly string[],
  ...unwitnessed(),
  hours: { count: 0, first: null as string | null, last: null as string | null, missed: [] as string[] },
  clock: { largestStepMs: 0, largestBackwardMs: 0, largestDatabaseOffsetMs: 0, sources: [] as string[] },
  /** What the checkpoint of each hour says of the clock, as far as its entry was read. */
  hourly: [] as Json[],
  commitments: { total: 0, opened: 0, erased: 0 },
  /** Entries that record an erasure: of which members of which entries, as index:field. */
  redactions: [] as { index: number; openings: readonly string[]; reason: string }[],
  /** Sizes of the checkpoints noted earlier, to which this log only added. */
  consistentWith: [] as number[],
  comparisons: [] as readonly Comparison[],
})
/** As `--json` prints it; `reports` only where they were asked for. */
export type Verdict = ReturnType<typeof emptyVerdict> & { reports?: Reports; firstBad?: FirstBad }

export type VerifyOptions = {
  readonly key?: string | undefined
  readonly policy?: string | undefined
  /** Checkpoints noted earlier, as text. */
  readonly checkpoints?: readonly string[]
  /** Recompute the reports. */
  readonly reports?: boolean | undefined
  /** Reports that were filed, and the organisation of the TPP that those of a TPP were made for. */
  readonly compare?: readonly Filed[]
  readonly tpp?: string | undefined
  /** Files with a raw log. */
  readonly rawLogs?: readonly string[]
  /** `<first day>/<last day>` that they have to be of. */
  readonly period?: string | undefined
}

/** A key, the place from which it signs, and the first checkpoint it signed, of `index + 1` entries. */
type KeyLine = { readonly index: number; readonly key: Key; readonly note: Checkpoint }

function readKeys(dir: string, origin: string): readonly KeyLine[] {
  const lines = read(dir, 'keys.ndjson', null).toString('utf8').trimEnd().split('\n')
  return lines.map((line, at): KeyLine => {
    const raw = parseJson(line)
    const key = parseKey(String(raw?.['publicKey']))
    const note = parseCheckpoint(Buffer.from(String(raw?.['note'])))
    const index = Number(raw?.['index'])
    const isSound = key?.type === LOG && key.name === origin && note?.size === index + 1 && (at > 0 || index === 0)
    need(isSound && key !== null && note !== null, 'keys.ndjson', null, `line ${at + 1} is damaged`)
    need(signedAt(note, key) !== null, 'keys.ndjson', index, 'the key did not sign its first checkpoint')
    return { index, key, note }
  })
}

/** The key must be the last of the history, or an older one from which each next one was vouched for. */
function trust(keys: readonly KeyLine[], given: readonly string[]): void {
  const from = keys.findLastIndex(({ key }) => given.includes(key.text))
  need(given.length === 0 || from >= 0, 'keys.ndjson', null, 'the given key is not a key of this log')
  for (let at = from + 1; given.length > 0 && at < keys.length; at += 1) {
    const [before, next] = [keys[at - 1] as KeyLine, keys[at] as KeyLine]
    const isVouchedFor = signedAt(next.note, before.key) !== null
    need(isVouchedFor, 'keys.ndjson', next.index, 'the key before this one does not vouch for it')
  }
}

const keyAt = (keys: readonly KeyLine[], size: number): Key =>
  (keys.findLast(({ index }) => index < size) ?? (keys[0] as KeyLine)).key

/** A root that must be met on the way. */
type Mark = { readonly where: string; readonly size: number; readonly root: Buffer }

export function verifyExport(dir: string, options: VerifyOptions = {}): Verdict {
  const verdict: Verdict = emptyVerdict()
  try {
    walk(dir, options, verdict)
    verdict.ok = verdict.comparisons.every(({ difference }) => difference === null)
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown
    verdict.firstBad = thrown.bad
  }
  return verdict
}

function walk(dir: string, options: VerifyOptions, verdict: Verdict): void {
  const manifest = readManifest(dir)
  const policy = options.policy === undefined ? null : parsePolicy(options.policy)
  const checkpoint = parseCheckpoint(read(dir, 'checkpoint', null))
  need(checkpoint !== null, 'checkpoint', null, 'it is no signed checkpoint')
  const { origin, size } = checkpoint
  need(origin === manifest.origin, 'checkpoint', null, 'it is of another log than the manifest')
  const keys = readKeys(dir, origin)
  const signer = keyAt(keys, size)
  const signatures = checkpoint.signatures.map(({ name, id }) => `${name}+${id}`)
  Object.assign(verdict, { origin, publicKey: signer.text, keys: keys.length, signatures })
  const given = [options.key, ...(policy?.logs ?? []).map((key) => key.text)].filter((key) => key !== undefined)
  verdict.isKeyGiven = given.length > 0
  trust(keys, given)
  need(signedAt(checkpoint, signer) !== null, 'checkpoint', null, 'the key of the log did not sign it')
  const isSaid = manifest.size === size && manifest.publicKey === signer.text && manifest.end <= size
  need(isSaid, 'manifest.json', null, 'it says something else than the checkpoint')
  if (policy !== null) askWitnesses(checkpoint, policy, verdict)

  const filed = options.compare ?? []
  const recount = options.reports === true || filed.length > 0 ? createRecount() : null
  const rawLogs = (options.rawLogs ?? []).map((file) => openRawLog(file, options.period))
  const counts = [...(recount === null ? [] : [recount]), ...rawLogs]
  if (counts.length > 0 && (manifest.first > 0 || manifest.end < size))
    throw new NothingToJudge('reports follow from the whole log, and this export holds a period of it')
  const hours = readHours(dir, keys, size)
  const isRead = (index: number): boolean => index >= manifest.first && index < manifest.end
  const hoursRead = hours.filter((hour) => isRead(hour.size - 1))
  const ofKeys = besideKeys(keys)
  const lists = [besideHours(hoursRead, verdict), openOpenings(dir, manifest, verdict), openLists(dir, manifest)]
  const listeners: readonly Listener[] = [...lists, ...counts]
  const span = { from: Number.POSITIVE_INFINITY, to: 0 }
  const take = (bytes: Buffer, index: number): void => {
    const entry = parseJson(bytes)
    const at = Date.parse(String(entry?.['at']))
    need(entry !== null && typeof entry['kind'] === 'string' && at >= 0, 'entry', index, 'it is no audit entry')
    verdict.tenantId ??= String(entry['tenantId'])
    need(entry['tenantId'] === verdict.tenantId, 'entry', index, 'it belongs to another tenant')
    ofKeys.add(entry, at, index, bytes)
    if (!isRead(index)) return
    for (const each of listeners) each.add(entry, at, index, bytes)
    verdict.clock.largestBackwardMs = Math.max(verdict.clock.largestBackwardMs, span.to - at)
    span.from = Math.min(span.from, at)
    span.to = Math.max(span.to, at)
    verdict.entriesRead += 1
  }
  const older = (options.checkpoints ?? []).map((text) => noted(text, checkpoint, keys))
  const firstOfKeys = keys.map(({ note }) => ({ where: 'keys.ndjson', size: note.size, root: note.root }))
  const withKeys = new Set(keys.map(({ index }) => Math.floor(index / WIDTH)))
  walkTree(dir, checkpoint, [...older, ...firstOfKeys, ...hours], (n, leaves) => {
    const isHere = n * WIDTH < manifest.end && n * WIDTH + leaves.length > manifest.first
    if (isHere || withKeys.has(n)) readBundle(dir, n, leaves, take)
  })
  for (const each of [ofKeys, ...lists]) each.end()
  const [root, consistentWith] = [checkpoint.root.toString('base64'), older.map((mark) => mark.size)]
  Object.assign(verdict, { size, root, consistentWith, ...hoursVerdict(hours, verdict.hourly, verdict.clock) })
  if (recount !== null && options.reports === true) verdict.reports = reportsOf(recount, span.from, span.to)
  verdict.comparisons = [
    ...filed.flatMap((each) => (recount === null ? [] : [compare(each, recount, span.to, options)])),
    ...rawLogs.map((each) => each.end(span.to)),
  ]
}

/** Every tile and, on the way, every root that somebody signed or noted; `visit` gets the leaves before that. */
function walkTree(
  dir: string,
  checkpoint: Checkpoint,
  marks: readonly Mark[],
  visit: (n: number, leaves: readonly Buffer[]) => void,
): void {
  const { size } = checkpoint
  const edge: (readonly Buffer[])[] = [[]]
  const raise = createUpper(dir, size, edge)
  const due = marks.filter((mark) => mark.size > 0).sort((one, other) => other.size - one.size)
  // From the last root that was right on, an entry may be wrong when the next root is.
  let good = 0
  for (let n = 0; n * WIDTH < size; n += 1) {
    const start = n * WIDTH
    const width = Math.min(WIDTH, size - start)
    const leaves = readTile(dir, 0, n, width, start)
    visit(n, leaves)
    for (let mark = due.at(-1); mark !== undefined && mark.size <= start + width; mark = due.at(-1)) {
      const root = rootOfEdge([leaves.slice(0, mark.size - start), ...edge.slice(1)])
      const reason = `this checkpoint of ${mark.size} entries has another root; the ${good} before are good`
      need(root.equals(mark.root), mark.where, good, reason)
      good = mark.size
      due.pop()
    }
    if (width === WIDTH) raise(1, n, rootOf(leaves))
    else edge[0] = leaves
  }
  const reason = `it is signed for another root than these entries have; the first ${good} are good`
  need(rootOfEdge(edge).equals(checkpoint.root), 'checkpoint', good, reason)
}

const NOTED = 'checkpoint noted earlier'

function noted(text: string, now: Checkpoint, keys: readonly KeyLine[]): Mark {
  const old = parseCheckpoint(Buffer.from(text))
  if (old === null || old.origin !== now.origin) throw new NothingToJudge(`a ${NOTED} is not of this log`)
  if (!keys.some(({ key }) => signedAt(old, key) !== null))
    throw new NothingToJudge(`a ${NOTED} is not signed by a key of this log`)
  need(old.size <= now.size, NOTED, now.size, `${old.size} entries were signed then, and ${now.size} are here`)
  return { where: NOTED, size: old.size, root: old.root }
}

function askWitnesses(checkpoint: Checkpoint, policy: Policy, verdict: ReturnType<typeof unwitnessed>): void {
  for (const [name, key] of policy.witnesses) {
    const seconds = signedAt(checkpoint, key)
    if (seconds === null) verdict.absent.push({ name, key: key.text })
    else verdict.witnesses.push({ name, key: key.text, at: new Date(seconds * 1000).toISOString() })
  }
  verdict.quorum = policy.quorum
  verdict.isQuorumMet = policy.isMet(new Set(verdict.witnesses.map(({ name }) => name)))
  need(verdict.isQuorumMet, 'checkpoint', null, 'the quorum of witnesses that the policy asks for is not met')
}

function readTile(dir: string, level: number, n: number, width: number, index: number): Buffer[] {
  const name = nameOf(String(level), n, width)
  const bytes = read(dir, name, index)
  const wrong = index + Math.floor(bytes.length / 32) * WIDTH ** level
  need(bytes.length === width * 32, name, wrong, 'it has not the size of its tile')
  return Array.from({ length: width }, (_, at) => bytes.subarray(at * 32, at * 32 + 32))
}

/**
 * Puts the hash of a complete tile into the level above, whose own tile has to say the same: so a tree that was changed
 * is found out at the tile in which it was, and not at the next checkpoint only.
 */
function createUpper(dir: string, size: number, edge: (readonly Buffer[])[]) {
  const stored: (readonly Buffer[])[] = []
  const raise = (level: number, place: number, root: Buffer): void => {
    const [n, first] = [Math.floor(place / WIDTH), place * WIDTH ** level]
    const width = Math.min(WIDTH, Math.floor(size / WIDTH ** level) - n * WIDTH)
    const hashes = edge[level] ?? []
    if (hashes.length === 0) stored[level] = readTile(dir, level, n, width, first)
    const expected = stored[level]?.[hashes.length]
    const name = nameOf(String(level), n, width)
    need(expected?.equals(root) === true, name, first, 'it does not agree with the tiles below it')
    edge[level] = hashes.length + 1 < WIDTH ? [...hashes, root] : []
    if (hashes.length + 1 === WIDTH) raise(level + 1, n, rootOf([...hashes, root]))
  }
  return raise
}

type Take = (bytes: Buffer, index: number) => void
function readBundle(dir: string, n: number, leaves: readonly Buffer[], take: Take): void {
  const name = nameOf('entries', n, leaves.length)
  const bundle = read(dir, name, n * WIDTH)
  let at = 0
  for (const [place, leaf] of leaves.entries()) {
    const index = n * WIDTH + place
    const length = at + 2 <= bundle.length ? bundle.readUInt16BE(at) : 0
    const bytes = bundle.subarray(at + 2, at + 2 + length)
    need(at + 2 + length <= bundle.length, name, index, 'the file ends before this entry')
    need(leafHash(bytes).equals(leaf), name, index, 'this entry is not the one in the tree')
    take(bytes, index)
    at += 2 + length
  }
  need(at === bundle.length, name, n * WIDTH + leaves.length, 'something follows the last entry')
}

/** Each key is announced by an entry, in this order. */
function besideKeys(keys: readonly KeyLine[]): Checker {
  let next = 0
  return {
    add: (entry, _at, index) => {
      if (entry['kind'] !== 'log-key') return
      const [line, before] = [keys[next], keys[next - 1]?.key.text ?? null]
      const isSame = line?.index === index && entry['publicKey'] === line.key.text && entry['previous'] === before
      need(isSame, 'keys.ndjson', index, 'the history of keys is not the one in the entries')
      next += 1
    },
    end: () => need(next === keys.length, 'keys.ndjson', keys[next]?.index ?? null, 'a key is not in the entries'),
  }
}

// ── The lists of an export ───────────────────────────────────────────────────────────────────────────────────────────

const openList = (dir: string, name: string): Lines => orFault(name, null, () => openLines(join(dir, name)))

/** The entries to read, line by line, and the same as a table. */
function openLists(dir: string, { fields: digest }: Manifest): Checker {
  const dictionary = read(dir, 'fields.json', null)
  need(hash('sha256', dictionary, 'base64') === digest, 'fields.json', null, 'it is not the one of the manifest')
  const fields = (JSON.parse(dictionary.toString('utf8')) as { name: string }[]).map(({ name }) => name)
  const places = new Map(fields.map((field, place) => [field, place]))
  const isUsable = places.has('index') && places.size === fields.length
  need(isUsable, 'fields.json', null, 'a field is twice in it, or the index is not')
  const [ndjson, csv] = [openList(dir, 'entries.ndjson'), openList(dir, 'entries.csv')]
  const isHeaded = csv()?.toString('utf8') === fields.join(',')
  need(isHeaded, 'entries.csv', null, 'its first line is not the list of fields')
  const indexAt = fields.indexOf('index')
  const blank = fields.map(() => '')
  return {
    add: (entry, _at, index, bytes) => {
      const line = ndjson()
      const head = `{"index":${index},"entry":`
      const isSame =
        line?.length === head.length + bytes.length + 1 &&
        line.toString('latin1', 0, head.length) === head &&
        line.subarray(head.length, -1).equals(bytes) &&
        line.at(-1) === 0x7d
      need(isSame, 'entries.ndjson', index, 'it says something else than the entry')
      const cells = blank.slice()
      for (const name in entry) {
        const place = places.get(name)
        if (place !== undefined) cells[place] = cell(entry[name])
      }
      cells[indexAt] = String(index)
      const row = cells.join(',')
      const isSameRow = (row.includes('\n') ? row.split('\n') : [row]).every((part) => csv()?.toString('utf8') === part)
      need(isSameRow, 'entries.csv', index, 'it says something else than the entry')
    },
    end: () => {
      const isAll = ndjson() === null && csv() === null
      need(isAll, 'export', null, 'there is more in it than the log has entries')
    },
  }
}

/** `gap`: hours before it that are not there. */
type Hour = Mark & { readonly text: string; readonly at: number; readonly gap: number }

function readHours(dir: string, keys: readonly KeyLine[], size: number): readonly Hour[] {
  const where = 'hours.ndjson'
  const lines = openList(dir, where)
  const hours: Hour[] = []
  for (let line = lines(); line !== null; line = lines()) {
    const raw = parseJson(line)
    const note = parseCheckpoint(Buffer.from(String(raw?.['note'])))
    const text = String(raw?.['hour'])
    const at = Date.parse(text)
    need(at >= 0 && note !== null, where, null, 'a line of it is damaged')
    const isSigned = note.origin === keys[0]?.key.name && signedAt(note, keyAt(keys, note.size)) !== null
    need(isSigned, where, note.size - 1, 'the checkpoint of this hour is not signed by the key of the log')
    const before = hours.at(-1)
    const gap = before === undefined ? 0 : (at - before.at) / HOUR - 1
    const isNext = Number.isInteger(gap) && gap >= 0 && note.size > (before?.size ?? 0) && note.size <= size
    need(isNext, where, note.size - 1, 'this hour does not follow the one before it')
    hours.push({ where, text, at, gap, size: note.size, root: note.root })
  }
  return hours
}

/** Each hour begins with an entry, which says how the clock was. */
function besideHours(hours: readonly Hour[], { hourly }: Verdict): Checker {
  const unmet = (): number => (hours[hourly.length]?.size ?? 0) - 1
  return {
    add: (entry, _at, index) => {
      if (entry['kind'] !== 'hour') return
      const { hour, missed, clockSource, clockStepMs, databaseOffsetMs } = entry
      const line = hours[hourly.length]
      const isSame = line?.size === index + 1 && line.text === hour
      need(isSame, 'hours.ndjson', index, `the checkpoint of the hour ${String(hour)} is missing`)
      const reason = `${line.gap} hours are missing before this one, and ${String(missed)} are admitted`
      need(line.gap === missed, 'hours.ndjson', index, reason)
      hourly.push({ hour, size: line.size, clockSource, clockStepMs, databaseOffsetMs })
    },
    end: () => need(hourly.length === hours.length, 'hours.ndjson', unmet(), 'no hour begins with this entry'),
  }
}

const timeOf = (at: number): string => new Date(at).toISOString()
const largest = (values: readonly unknown[]): number =>
  values.map(Number).reduce((most, each) => (Math.abs(each) > Math.abs(most) ? each : most), 0)

function hoursVerdict(hours: readonly Hour[], hourly: readonly Json[], { largestBackwardMs }: Verdict['clock']) {
  const missed = hours.flatMap(({ at, gap }) => Array.from({ length: gap }, (_, n) => timeOf(at - (gap - n) * HOUR)))
  const [first = null, last = null] = [hours[0]?.text, hours.at(-1)?.text]
  const sources = [...new Set(hourly.map(({ clockSource }) => String(clockSource)))]
  const largestStepMs = largest(hourly.map(({ clockStepMs }) => clockStepMs))
  const largestDatabaseOffsetMs = largest(hourly.map(({ databaseOffsetMs }) => databaseOffsetMs))
  const clock = { largestStepMs, largestBackwardMs, largestDatabaseOffsetMs, sources }
  return { hours: { count: hours.length, first, last, missed }, clock }
}

/** Every opening opens its commitment; a commitment without one was erased, and its value is nowhere. */
function openOpenings(
  dir: string,
  { openings: areHere }: Manifest,
  { commitments: counts, redactions }: Verdict,
): Checker {
  const name = 'openings.ndjson'
  const lines = areHere ? openList(dir, name) : () => null
  const erased = new Set<string>()
  const closed = new Map<string, number>()
  let next = parseJson(lines())
  const findErased = (): void => {
    const again = openList(dir, name)
    for (let raw = parseJson(again()); raw !== null; raw = parseJson(again())) {
      const isErased = erased.has(`${String(raw['index'])}:${String(raw['field'])}`)
      need(!isErased, name, Number(raw['index']), 'a value is still here although its erasure is recorded')
    }
  }
  return {
    add: (entry, _at, index) => {
      if (entry['kind'] === 'erased') {
        const openings = entry['openings'] as readonly string[]
        redactions.push({ index, openings, reason: String(entry['reason']) })
        for (const each of openings) erased.add(each)
      }
      const commitments = commitmentsOf(entry)
      counts.total += commitments.size
      if (!areHere) return
      const seen = new Set<string>()
      for (; next !== null && Number(next['index']) <= index; next = parseJson(lines())) {
        need(next['index'] === index, name, index, 'it opens what is not there')
        seen.add(checkOpening(next, commitments, index))
      }
      counts.opened += seen.size
      for (const field of commitments.keys()) if (!seen.has(field)) closed.set(`${index}:${field}`, index)
    },
    end: () => {
      counts.erased = erased.size
      for (const [place, index] of closed) {
        const reason = `the value of ${place} is missing, and nothing records that it was erased`
        need(erased.has(place), name, index, reason)
      }
      need(next === null, name, null, 'it opens what is not there')
      if (areHere && erased.size > 0) findErased()
    },
  }
}

// ── Receipts: C2SP tlog-proof ────────────────────────────────────────────────────────────────────────────────────────

const emptyReceipt = () => ({
  ok: false,
  origin: null as string | null,
  index: null as number | null,
  size: null as number | null,
  entry: null as Json | null,
  /** What the opened commitments say. */
  opened: {} as Record<string, string>,
  ...unwitnessed(),
})
export type ReceiptVerdict = ReturnType<typeof emptyReceipt> & { firstBad?: FirstBad }

/** A file is one proof, or the answer of the hub, in which there are several. */
export function verifyReceipts(text: string, options: VerifyOptions): ReceiptVerdict[] {
  const answer = parseJson(text)
  const proofs = answer === null ? [text] : ((answer['receipts'] ?? []) as Json[]).map((each) => String(each['proof']))
  if (proofs.length === 0) throw new NothingToJudge('there is no receipt in it yet')
  return proofs.map((proof) => {
    const verdict: ReceiptVerdict = emptyReceipt()
    try {
      judgeReceipt(proof, options, verdict)
      verdict.ok = true
    } catch (thrown) {
      if (!(thrown instanceof Fault)) throw thrown
      verdict.firstBad = thrown.bad
    }
    return verdict
  })
}

function judgeReceipt(text: string, options: VerifyOptions, verdict: ReceiptVerdict): void {
  const end = text.indexOf('\n\n')
  const [magic, extraLine = '', indexLine = '', ...path] = text.slice(0, Math.max(0, end)).split('\n')
  const place = /^index (0|[1-9]\d{0,14})$/.exec(indexLine)?.[1]
  const extra = parseJson(Buffer.from(/^extra (\S+)$/.exec(extraLine)?.[1] ?? '', 'base64'))
  const checkpoint = parseCheckpoint(Buffer.from(text.slice(end + 2)))
  const hashes = path.map(parseHash).filter((each) => each !== null)
  const isProof = magic === 'c2sp.org/tlog-proof@v1' && place !== undefined && hashes.length === path.length
  const reason = 'it is no proof as C2SP tlog-proof has it, with the entry in its extra line'
  need(isProof && extra !== null, 'receipt', null, reason)
  need(checkpoint !== null, 'checkpoint', null, 'it is no signed checkpoint')
  const { origin, size } = checkpoint
  const index = Number(place)
  const bytes = Buffer.from(String(extra['entry']), 'base64')
  const entry = parseJson(bytes)
  Object.assign(verdict, { origin, index, size, entry })
  const policy = options.policy === undefined ? null : parsePolicy(options.policy)
  const key = options.key === undefined ? null : parseKey(options.key)
  if (options.key !== undefined && key?.type !== LOG) throw new NothingToJudge('the given key is no verifier key')
  const known = [...(key === null ? [] : [key]), ...(policy?.logs ?? [])]
  if (known.length === 0) throw new NothingToJudge('a receipt is verified with the key of the log: --key or --policy')
  const isSigned = known.some((each) => each.name === origin && signedAt(checkpoint, each) !== null)
  need(isSigned, 'checkpoint', null, 'the given key did not sign it')
  if (policy !== null) askWitnesses(checkpoint, policy, verdict)
  const root = rootFromPath(index, size, leafHash(bytes), hashes)
  const isLed = root?.equals(checkpoint.root) === true
  need(isLed, 'receipt', index, 'the path does not lead from this entry to the root')
  need(entry !== null, 'receipt', index, 'it is no audit entry')
  const commitments = commitmentsOf(entry)
  for (const raw of (extra['openings'] ?? []) as Json[]) {
    verdict.opened[checkOpening(raw, commitments, index)] = String(raw['value'])
  }
}

/** RFC 9162 2.1.3.2: up from the leaf; null when the path is too short or too long. */
export function rootFromPath(index: number, size: number, leaf: Buffer, path: readonly Buffer[]): Buffer | null {
  if (index >= size) return null
  let [fn, sn, root] = [index, size - 1, leaf]
  for (const each of path) {
    if (sn === 0) return null
    if (fn % 2 === 1 || fn === sn) {
      root = nodeHash(each, root)
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [fn / 2, Math.floor(sn / 2)]
    } else root = nodeHash(root, each)
    ;[fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)]
  }
  return sn === 0 ? root : null
}

// ── Words, and the command line ──────────────────────────────────────────────────────────────────────────────────────

const faultLine = ({ where, index, reason }: FirstBad): string =>
  `first fault: ${index === null ? '' : `entry ${index}: `}${where}: ${reason}`

const few = (list: readonly unknown[]): string =>
  list.length <= 10 ? list.join(', ') : `${list.slice(0, 10).join(', ')} and ${list.length - 10} more`

function witnessLine({ origin, signatures, quorum, witnesses, absent }: Verdict): string {
  const others = signatures.filter((each) => !each.startsWith(`${origin}+`))
  if (quorum === null) return `witnesses: no policy was given; lines that were not judged: ${few(others) || 'none'}`
  const said = [
    ...witnesses.map(({ name, key, at }) => `${name} at ${at} (${key})`),
    ...absent.map(({ name, key }) => `not ${name} (${key})`),
  ]
  return `witnesses: quorum ${quorum} met: ${said.join(', ') || 'none needed'}`
}

export function describeVerdict(verdict: Verdict): string {
  const whose = `audit log ${verdict.origin ?? 'of an unknown origin'}`
  if (verdict.firstBad) return `NOT VERIFIED: ${whose}\n${faultLine(verdict.firstBad)}`
  const { hours, clock, commitments, redactions, consistentWith } = verdict
  const { missed } = hours
  const missedHours =
    missed.length === 0 ? 'none missed' : `${missed.length} in which nothing was sealed, from ${missed[0]}`
  const records = redactions.length === 0 ? '' : ` (recorded by entry ${few(redactions.map(({ index }) => index))})`
  return [
    `VERIFIED: ${whose}, tenant ${verdict.tenantId}`,
    `entries: ${verdict.size}, of which ${verdict.entriesRead} were read; root ${verdict.root}`,
    `signed by ${verdict.isKeyGiven ? 'the given key' : 'the key that the export itself names'}: ${verdict.publicKey}`,
    witnessLine(verdict),
    `hours: ${hours.count}, ${hours.first} to ${hours.last}; ${missedHours}`,
    `clock: set by ${clock.sources.join(', ')}; largest step ${clock.largestStepMs} ms, largest offset to the database ${clock.largestDatabaseOffsetMs} ms`,
    `commitments: ${commitments.total}, ${commitments.opened} opened and right, ${commitments.erased} erased${records}`,
    ...(consistentWith.length === 0 ? [] : [`only added to since: ${consistentWith.join(', ')} entries`]),
    ...verdict.comparisons.map(comparisonLine),
    ...(verdict.reports === undefined ? [] : reportLines(verdict.reports)),
  ].join('\n')
}

function comparisonLine({ file, rows, period, destroyed, difference }: Comparison): string {
  if (difference !== null) return `NOT CONFIRMED: report ${file}\nfirst difference: ${difference}`
  const gone = destroyed === 0 ? '' : `; ${destroyed} others are not in it, destroyed by policy as the log records`
  return `report ${file}, ${period.replace('/', ' to ')}: all ${rows} rows follow from the log${gone}`
}

function reportLines({ until, lfi, daily, tpps, datasets }: Reports): string[] {
  const table = (title: string, rows: readonly Row[]): string[] => {
    const [first] = rows
    if (first === undefined) return []
    return ['', title, Object.keys(first).join(','), ...rows.map((row) => Object.values(row).map(cell).join(','))]
  }
  const ofTpps = Object.entries(tpps).flatMap(([tpp, rows]) =>
    [...Map.groupBy(rows, (row) => row['Type'])].flatMap(([type, some]) => table(`${type}, TPP ${tpp}`, some)),
  )
  const others = Object.entries(datasets).flatMap(([name, rows]) => table(`Dataset ${name}`, rows))
  return [...table(`LFI by day, up to ${until}`, lfi), ...table('Calls by day', daily), ...ofTpps, ...others]
}

export function describeReceipt(verdict: ReceiptVerdict): string {
  if (verdict.firstBad)
    return `NOT VERIFIED: receipt of ${verdict.origin ?? 'an unknown log'}\n${faultLine(verdict.firstBad)}`
  const opened = Object.entries(verdict.opened).map(([field, value]) => `  ${field} = ${value}`)
  return [
    `VERIFIED: entry ${verdict.index} of ${verdict.size} in ${verdict.origin}`,
    JSON.stringify(verdict.entry),
    ...opened,
  ].join('\n')
}

const MANY = { type: 'string', multiple: true } as const
const ONE = { type: 'string' } as const
const FLAG = { type: 'boolean' } as const
const OPTIONS = {
  ...{ key: ONE, policy: ONE, checkpoint: MANY, compare: MANY, period: ONE, tpp: ONE },
  ...{ reports: FLAG, json: FLAG },
} as const
const USAGE =
  'usage: falaj-verify [receipt] <path> [--key <key>] [--policy <file>] [--checkpoint <file>]… [--reports] ' +
  '[--compare <report>]… [--period <first>/<last>] [--tpp <organisation>] [--json]'

/** @returns exit status */
export function main(args: readonly string[], print: (text: string) => void): 0 | 1 | 2 {
  const isJson = args.includes('--json')
  try {
    const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options: OPTIONS })
    const [first, second, ...more] = positionals
    const path = first === 'receipt' ? second : first
    if (path === undefined || more.length > 0 || (first !== 'receipt' && second !== undefined))
      throw new NothingToJudge(USAGE)
    const text = (file: string): string => readFileSync(file, 'utf8')
    const filed = values.compare ?? []
    const options: VerifyOptions = {
      ...values,
      policy: values.policy === undefined ? undefined : text(values.policy),
      checkpoints: (values.checkpoint ?? []).map(text),
      compare: filed.filter((file) => !isRawLog(file)).map((file) => ({ file, text: text(file) })),
      rawLogs: filed.filter(isRawLog),
    }
    if (first === 'receipt') {
      const verdicts = verifyReceipts(text(path), options)
      print(isJson ? JSON.stringify(verdicts) : verdicts.map(describeReceipt).join('\n'))
      return verdicts.every(({ ok }) => ok) ? 0 : 1
    }
    const verdict = verifyExport(path, options)
    print(isJson ? JSON.stringify(verdict) : describeVerdict(verdict))
    return verdict.ok ? 0 : 1
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown.message : 'unknown fault'
    print(isJson ? JSON.stringify({ ok: false, error }) : `could not be judged: ${error}`)
    return 2
  }
}

if (import.meta.main) process.exitCode = main(process.argv.slice(2), console.log)
