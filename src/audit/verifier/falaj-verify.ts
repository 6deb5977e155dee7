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
 * The order of the chapters: hashes · notes and keys · policy · files · entries · reports · a filed report · the walk ·
 * receipts · words.
 */
import { createPublicKey, hash, type KeyObject, verify } from 'node:crypto'
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

/** The largest power of two below `n`. */
function splitOf(n: number): number {
  let k = 1
  while (k * 2 < n) k *= 2
  return k
}

export function rootOf(hashes: readonly Buffer[]): Buffer {
  if (hashes.length === 1) return hashes[0] as Buffer
  const k = splitOf(hashes.length)
  return nodeHash(rootOf(hashes.slice(0, k)), rootOf(hashes.slice(k)))
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

export type Key = {
  readonly text: string
  readonly name: string
  readonly id: string
  readonly type: number
  readonly key: KeyObject
}
type Signature = { readonly name: string; readonly id: string; readonly bytes: Buffer }
export type Checkpoint = {
  readonly origin: string
  readonly size: number
  readonly root: Buffer
  readonly text: string
  readonly signatures: readonly Signature[]
}

const LOG = 0x01
const WITNESS = 0x04

/** `<name>+<id>+<base64 of type and key>`; the id is the beginning of a hash over the rest. */
export function parseKey(text: string): Key | null {
  const [, name = '', id = '', encoded = ''] = /^([^\s+]+)\+([0-9a-f]{8})\+(\S+)$/u.exec(text) ?? []
  const typed = Buffer.from(encoded, 'base64')
  const type = typed[0]
  if (typed.length !== 33 || typed.toString('base64') !== encoded || (type !== LOG && type !== WITNESS)) return null
  const digest = hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), typed]), 'hex')
  if (digest.slice(0, 8) !== id) return null
  const x = typed.subarray(1).toString('base64url')
  return { text, name, id, type, key: createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }) }
}

export function parseCheckpoint(bytes: Buffer): Checkpoint | null {
  const note = bytes.toString('utf8')
  const end = note.lastIndexOf('\n\n')
  if (!Buffer.from(note).equals(bytes) || end < 0 || !note.endsWith('\n')) return null
  const text = note.slice(0, end + 1)
  const [origin = '', size = '', root, ...extensions] = text.split('\n')
  const rootHash = parseHash(root)
  if (origin === '' || !/^(0|[1-9]\d{0,14})$/.test(size) || rootHash === null || extensions.pop() !== '') return null
  const signatures: Signature[] = []
  for (const line of note.slice(end + 2, -1).split('\n')) {
    const [, name, encoded = ''] = /^— ([^\s+]+) (\S+)$/u.exec(line) ?? []
    const raw = Buffer.from(encoded, 'base64')
    if (name === undefined || raw.length < 5 || raw.toString('base64') !== encoded) return null
    signatures.push({ name, id: raw.subarray(0, 4).toString('hex'), bytes: raw.subarray(4) })
  }
  return { origin, size: Number(size), root: rootHash, text, signatures }
}

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

type Policy = {
  readonly logs: readonly Key[]
  readonly witnesses: ReadonlyMap<string, Key>
  /** Given the names that have cosigned. */
  readonly isMet: (cosigned: ReadonlySet<string>) => boolean
}

function parsePolicy(text: string): Policy {
  const logs: Key[] = []
  const witnesses = new Map<string, Key>()
  const rules = new Map<string, (cosigned: ReadonlySet<string>) => boolean>([['none', () => true]])
  const members = new Set<string>()
  let quorum: ((cosigned: ReadonlySet<string>) => boolean) | null = null
  const refuse = (line: string): never => {
    throw new NothingToJudge(`the policy has a line that is not understood: ${line}`)
  }
  const ruleOf = (name: string, line: string) => rules.get(name) ?? refuse(line)
  for (const line of text.split('\n')) {
    const [word, ...args] = line.split(/[ \t]+/).filter((part) => part !== '')
    const [name = '', second = '', ...rest] = args
    if (word === undefined || word.startsWith('#')) continue
    if (word === 'log') {
      const key = parseKey(name)
      logs.push(key?.type === LOG ? key : refuse(line))
    } else if (word === 'witness') {
      const key = parseKey(second)
      const twice = [...witnesses.values()].some((other) => key !== null && other.key.equals(key.key))
      if (key?.type !== WITNESS || rules.has(name) || twice) refuse(line)
      else witnesses.set(name, key)
      rules.set(name, (cosigned) => cosigned.has(name))
    } else if (word === 'group') {
      const least =
        second === 'all' ? rest.length : second === 'any' ? 1 : /^[1-9]\d*$/.test(second) ? Number(second) : 0
      const parts = rest.map((each) => ruleOf(each === 'none' ? '' : each, line))
      if (rules.has(name) || least < 1 || least > parts.length || rest.some((each) => members.has(each))) refuse(line)
      if (new Set(rest).size !== rest.length) refuse(line)
      for (const each of rest) members.add(each)
      rules.set(name, (cosigned) => parts.filter((part) => part(cosigned)).length >= least)
    } else if (word === 'quorum' && quorum === null && args.length === 1) {
      quorum = ruleOf(name, line)
    } else refuse(line)
  }
  if (quorum === null) throw new NothingToJudge('the policy has no quorum')
  return { logs, witnesses, isMet: quorum }
}

// ── Files of an export ───────────────────────────────────────────────────────────────────────────────────────────────

export function nameOf(folder: string, n: number, width: number): string {
  let name = String(n % 1000).padStart(3, '0')
  for (let rest = Math.floor(n / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    name = `x${String(rest % 1000).padStart(3, '0')}/${name}`
  }
  return `tile/${folder}/${name}${width === WIDTH ? '' : `.p/${width}`}`
}

/** Line by line in constant memory, without the line feed; null at the end. */
class Lines {
  readonly #file: number
  readonly #chunk = Buffer.alloc(1 << 20)
  #rest = Buffer.alloc(0)
  #at = 0
  constructor(path: string) {
    this.#file = openSync(path, 'r')
  }
  next(): string | null {
    return this.nextBytes()?.toString('utf8') ?? null
  }
  nextBytes(): Buffer | null {
    for (;;) {
      const end = this.#rest.indexOf(0x0a, this.#at)
      if (end >= 0) return this.#upTo(end)
      const read = readSync(this.#file, this.#chunk)
      const left = this.#rest.subarray(this.#at)
      if (read === 0) return left.length === 0 ? null : this.#upTo(this.#rest.length)
      this.#rest = Buffer.concat([left, this.#chunk.subarray(0, read)])
      this.#at = 0
    }
  }
  #upTo(end: number): Buffer {
    const line = this.#rest.subarray(this.#at, end)
    this.#at = end + 1
    return line
  }
  close(): void {
    closeSync(this.#file)
  }
}

type Json = Readonly<Record<string, unknown>>
function parseJson(text: string | null): Json | null {
  try {
    const value: unknown = JSON.parse(text ?? '')
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null
  } catch {
    return null
  }
}

/** What the export says it holds. Whatever of it could mislead is checked against what is signed. */
type Manifest = {
  readonly format: string
  readonly origin: string
  readonly publicKey: string
  readonly size: number
  /** Entries from this index up to but not including that one are in the export, in whole bundles. */
  readonly first: number
  readonly end: number
  readonly openings: boolean
  /** SHA-256 of fields.json, in base64. */
  readonly fields: string
}

function readManifest(dir: string): Manifest {
  const path = join(dir, 'manifest.json')
  if (!existsSync(path)) throw new NothingToJudge(`${dir} holds no manifest.json: it is no finished export`)
  const text = readFileSync(path, 'utf8')
  const { format, origin, publicKey, size, first, end, openings, fields } = (parseJson(text) ?? {}) as Partial<Manifest>
  const manifest = { format, origin, publicKey, size, first, end, openings, fields }
  const isOurs = format === 'falaj-audit-export/v1' && [size, first, end].every((each) => Number.isSafeInteger(each))
  if (!isOurs || text !== `${JSON.stringify(manifest)}\n`) throw new Fault('manifest.json', null, 'it is damaged')
  return manifest as Manifest
}

function read(dir: string, name: string, index: number | null): Buffer {
  try {
    return readFileSync(join(dir, name))
  } catch {
    throw new Fault(name, index, 'the file is missing')
  }
}

// ── Entries ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What needs neither quotes nor an apostrophe: nearly everything, and there are a million times sixty of them. */
const PLAIN = /^[^=+\-@\t\r\n",][^\r\n",]*$/
/** One cell of entries.csv. A text that a spreadsheet would take for a formula gets an apostrophe. */
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

/** What tells the rows of calls apart, and what is added up in them. */
const BUCKET = 'door api_set method route organisation_id client_id tpp_group lfi_group'.split(' ')
const ADDED = 'calls attended records over_limit total_us_sum lfi_us_sum'.split(' ')
const LEAST = ['total_us_min', 'lfi_us_min']
const MOST = ['total_us_max', 'lfi_us_max']

function addSums(to: Sums, more: Row): void {
  for (const name of ADDED) to[name] = Number(to[name]) + Number(more[name])
  for (const name of LEAST) to[name] = ofBoth(Math.min, to[name], more[name])
  for (const name of MOST) to[name] = ofBoth(Math.max, to[name], more[name])
}
const ofBoth = (pick: (a: number, b: number) => number, one: unknown, other: unknown): number | null =>
  typeof one !== 'number' || typeof other !== 'number' ? ((one ?? other ?? null) as number | null) : pick(one, other)

/** Rows that agree in these columns become one. */
function sumBy(rows: readonly Row[], columns: readonly string[]): Row[] {
  const found = new Map<string, Sums>()
  for (const row of rows) {
    const key = JSON.stringify(columns.map((name) => row[name]))
    const known = found.get(key)
    if (known === undefined) found.set(key, { ...row })
    else addSums(known, row)
  }
  return [...found.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row)
}

type Recount = {
  add(entry: Json, at: number): void
  /** Added up by `hour` or `day`. */
  calls(grain: string): Row[]
  /** Figures of days before this were destroyed by policy, as the log itself records; 0: none were. */
  destroyedBefore(): number
  /** Of one operation, or of all together where none is named. */
  availability(subject: string, span: Span, operation: string | null): Row
}

function createRecount(): Recount {
  const hours = new Map<string, Sums>()
  const downs: Down[] = []
  const running = new Map<string, Down>()
  const outages = new Map<string, Outage>()
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
    const key = `${hour} ${JSON.stringify(values)}`
    const total = { total_us_min: totalUs, total_us_max: totalUs, total_us_sum: totalUs }
    const ofLfi = { lfi_us_min: lfiUs, lfi_us_max: lfiUs, lfi_us_sum: lfiUs ?? 0 }
    const counts = { calls: 1, attended: entry['attended'] === true ? 1 : 0, records: Number(entry['records'] ?? 0) }
    const figures = { ...counts, over_limit: totalUs > LIMIT_US ? 1 : 0, ...total, ...ofLfi }
    const known = hours.get(key)
    if (known !== undefined) addSums(known, figures)
    else
      hours.set(key, { starts_at: hour, ...Object.fromEntries(BUCKET.map((n, i) => [n, values[i] ?? ''])), ...figures })

    // Only operations that are reported on have clocks.
    if (entry['apiSet'] === null || entry['apiSet'] === undefined || typeof entry['route'] !== 'string') return
    const hasFailed = (lfiStatus ?? 0) >= 500 || (outcome !== null && outcome !== 'answered')
    const lfi: Judgement = lfiUs === null || outcome === 'cancelled' ? null : hasFailed ? 'down' : 'up'
    const hub: Judgement = status < 500 ? 'up' : lfi === 'down' ? null : 'down'
    const answered = (microseconds(entry['hubInMs']) ?? 0) + (lfiUs ?? 0)
    signal('lfi', `${method} ${route}`, lfi, at + Math.floor(answered / 1000))
    signal('hub', `${method} ${route}`, hub, at + Math.floor(totalUs / 1000))
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

export type Reports = {
  /** The last entry: what had not ended by then is reported up to it. */
  readonly until: string
  readonly lfi: readonly Row[]
  readonly daily: readonly Row[]
  readonly tpps: Readonly<Record<string, readonly Row[]>>
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
  return { until: new Date(until).toISOString(), lfi: days, daily, tpps }
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
  const kind = ['grain', 'Period', 'Type'].find((name) => name in row)
  if (kind === undefined) throw new NothingToJudge('it is no report that can be recomputed')
  if (kind === 'Type' && tpp === undefined)
    throw new NothingToJudge('whose report it is has to be said: --tpp <organisation>')
  const days = period?.split('/') ?? daysIn(rows)
  const [first = '', last = first] = days
  const { to } = periodOf(first, last)
  if (to > until)
    throw new NothingToJudge(`the log ends at ${new Date(until).toISOString()}, before the days that were reported on`)
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

// ── The walk over an export ──────────────────────────────────────────────────────────────────────────────────────────

export type Verdict = {
  ok: boolean
  origin: string | null
  tenantId: string | null
  size: number
  root: string | null
  /** Entries whose bytes were in the export and are good. */
  entriesRead: number
  publicKey: string | null
  /** False: the key was taken from the export itself, so whoever made it also chose the key. */
  isKeyGiven: boolean
  keys: number
  witnesses: { name: string; at: string }[]
  /** null: no policy was given, so nothing was asked of witnesses. */
  isQuorumMet: boolean | null
  hours: { count: number; first: string | null; last: string | null; missed: string[] }
  clock: { largestStepMs: number; largestBackwardMs: number; largestDatabaseOffsetMs: number; sources: string[] }
  commitments: { total: number; opened: number; erased: number }
  /** Sizes of the checkpoints noted earlier, to which this log only added. */
  consistentWith: number[]
  /** Only where they were asked for. */
  reports?: Reports
  comparisons: Comparison[]
  firstBad?: FirstBad
}

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
  /** `<first day>/<last day>` that they have to be of. */
  readonly period?: string | undefined
}

const emptyVerdict = (): Verdict => ({
  ok: false,
  origin: null,
  tenantId: null,
  size: 0,
  root: null,
  entriesRead: 0,
  publicKey: null,
  isKeyGiven: false,
  keys: 0,
  witnesses: [],
  isQuorumMet: null,
  hours: { count: 0, first: null, last: null, missed: [] },
  clock: { largestStepMs: 0, largestBackwardMs: 0, largestDatabaseOffsetMs: 0, sources: [] },
  commitments: { total: 0, opened: 0, erased: 0 },
  consistentWith: [],
  comparisons: [],
})

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
    if (!isSound || key === null || note === null) throw new Fault('keys.ndjson', null, `line ${at + 1} is damaged`)
    if (signedAt(note, key) === null) throw new Fault('keys.ndjson', index, 'the key did not sign its first checkpoint')
    return { index, key, note }
  })
}

/** The key must be the last of the history, or an older one from which each next one was vouched for. */
function trust(keys: readonly KeyLine[], given: readonly string[]): void {
  if (given.length === 0) return
  const from = keys.findLastIndex(({ key }) => given.includes(key.text))
  if (from < 0) throw new Fault('keys.ndjson', null, 'the given key is not a key of this log')
  for (let at = from + 1; at < keys.length; at += 1) {
    const [before, next] = [keys[at - 1] as KeyLine, keys[at] as KeyLine]
    if (signedAt(next.note, before.key) === null)
      throw new Fault('keys.ndjson', next.index, 'the key changed here, and the key before it does not vouch for this')
  }
}

const keyAt = (keys: readonly KeyLine[], size: number): Key =>
  (keys.findLast(({ index }) => index < size) ?? (keys[0] as KeyLine)).key

/** A root that must be met on the way. */
type Mark = { readonly where: string; readonly size: number; readonly root: Buffer; readonly index: number }

export function verifyExport(dir: string, options: VerifyOptions = {}): Verdict {
  const verdict = emptyVerdict()
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
  if (checkpoint === null) throw new Fault('checkpoint', null, 'it is no signed checkpoint')
  const { size } = checkpoint
  if (checkpoint.origin !== manifest.origin)
    throw new Fault('checkpoint', null, 'it is of another log than the manifest')
  const keys = readKeys(dir, checkpoint.origin)
  const signer = keyAt(keys, size)
  Object.assign(verdict, { origin: checkpoint.origin, publicKey: signer.text, keys: keys.length })
  const given = [...(options.key === undefined ? [] : [options.key]), ...(policy?.logs ?? []).map((key) => key.text)]
  verdict.isKeyGiven = given.length > 0
  trust(keys, given)
  if (signedAt(checkpoint, signer) === null) throw new Fault('checkpoint', null, 'the key of the log did not sign it')
  if (manifest.size !== size || manifest.publicKey !== signer.text || manifest.end > size)
    throw new Fault('manifest.json', null, 'it says something else than the checkpoint')
  if (policy !== null) askWitnesses(checkpoint, policy, verdict)

  const older = (options.checkpoints ?? []).map((text) => noted(text, checkpoint, keys))
  const marks = [
    ...older,
    ...keys.map(({ index, note }) => ({ where: 'keys.ndjson', index, size: note.size, root: note.root })),
  ]
  const isReported = options.reports === true || (options.compare ?? []).length > 0
  if (isReported && (manifest.first > 0 || manifest.end < size))
    throw new NothingToJudge('reports follow from the whole log, and this export holds a period of it')
  const recount = isReported ? createRecount() : null
  const reader = openEntries(dir, manifest, keys, verdict, recount)
  const wanted = new Set(keys.map(({ index }) => Math.floor(index / WIDTH)))
  const edge: Buffer[][] = [[]]
  const raise = createUpper(dir, size, edge)
  // From the last root that was right on, an entry may be wrong when the next root is.
  let good = 0
  for (let n = 0; n * WIDTH < size; n += 1) {
    const start = n * WIDTH
    const width = Math.min(WIDTH, size - start)
    const leaves = readTile(dir, 0, n, width, start)
    if ((start < manifest.end && start + width > manifest.first) || wanted.has(n)) {
      readBundle(dir, n, leaves, (bytes, index) => reader.add(bytes, index))
    }
    const here = [...marks, ...reader.hoursWithin(start, start + width)].sort((a, b) => a.size - b.size)
    for (const mark of here) {
      if (mark.size <= start || mark.size > start + width) continue
      const row = leaves.slice(0, mark.size - start)
      if (!rootOfEdge([row, ...edge.slice(1)]).equals(mark.root))
        throw new Fault(
          mark.where,
          good,
          `this checkpoint of ${mark.size} entries has another root; the ${good} before are good`,
        )
      good = mark.size
      if (mark.where === NOTED) verdict.consistentWith.push(mark.size)
    }
    if (width === WIDTH) raise(n, leaves)
    else edge[0] = leaves
  }
  const root = rootOfEdge(edge)
  if (!root.equals(checkpoint.root))
    throw new Fault(
      'checkpoint',
      good,
      `it is signed for another root than these entries have; the first ${good} are good`,
    )
  reader.end()
  Object.assign(verdict, { size, root: root.toString('base64') })
  if (recount === null) return
  const { from, to } = reader.span()
  if (options.reports === true) verdict.reports = reportsOf(recount, from, to)
  verdict.comparisons = (options.compare ?? []).map((filed) => compare(filed, recount, to, options))
}

const NOTED = 'checkpoint noted earlier'

function noted(text: string, now: Checkpoint, keys: readonly KeyLine[]): Mark {
  const old = parseCheckpoint(Buffer.from(text))
  if (old === null || old.origin !== now.origin)
    throw new NothingToJudge('a checkpoint noted earlier is not of this log')
  if (!keys.some(({ key }) => signedAt(old, key) !== null))
    throw new NothingToJudge('a checkpoint noted earlier is not signed by a key of this log')
  if (old.size > now.size)
    throw new Fault(NOTED, now.size, `${old.size} entries were signed then, and ${now.size} are here`)
  return { where: NOTED, index: 0, size: old.size, root: old.root }
}

type Witnessed = Pick<Verdict, 'witnesses' | 'isQuorumMet'>

function askWitnesses(checkpoint: Checkpoint, policy: Policy, verdict: Witnessed): void {
  const cosigned = new Set<string>()
  for (const [name, key] of policy.witnesses) {
    const seconds = signedAt(checkpoint, key)
    if (seconds === null) continue
    cosigned.add(name)
    verdict.witnesses.push({ name, at: new Date(seconds * 1000).toISOString() })
  }
  verdict.isQuorumMet = policy.isMet(cosigned)
  if (!verdict.isQuorumMet)
    throw new Fault('checkpoint', null, 'the quorum of witnesses that the policy asks for is not met')
}

function readTile(dir: string, level: number, n: number, width: number, index: number): Buffer[] {
  const name = nameOf(String(level), n, width)
  const bytes = read(dir, name, index)
  if (bytes.length !== width * 32)
    throw new Fault(name, index + Math.floor(bytes.length / 32) * WIDTH ** level, 'it has not the size of its tile')
  return Array.from({ length: width }, (_, at) => bytes.subarray(at * 32, at * 32 + 32))
}

/**
 * A complete tile goes into the one above it, which has to say the same: so a tree that was changed is found out at the
 * tile in which it was, and not at the next checkpoint only.
 */
function createUpper(dir: string, size: number, edge: Buffer[][]): (n: number, leaves: readonly Buffer[]) => void {
  const stored: { readonly name: string; readonly hashes: readonly Buffer[] }[] = []
  return (n, leaves) => {
    let root = rootOf(leaves)
    for (let level = 1, place = n; ; level += 1, place = Math.floor(place / WIDTH)) {
      const above = Math.floor(place / WIDTH)
      const hashes = edge[level] ?? []
      edge[level] = hashes
      if (hashes.length === 0) {
        const width = Math.min(WIDTH, Math.floor(size / WIDTH ** level) - above * WIDTH)
        const tile = readTile(dir, level, above, width, place * WIDTH ** level)
        stored[level] = { name: nameOf(String(level), above, width), hashes: tile }
      }
      const { name, hashes: expected } = stored[level] as (typeof stored)[number]
      if (!root.equals(expected[hashes.length] as Buffer))
        throw new Fault(name, place * WIDTH ** level, 'it does not agree with the tiles below it')
      hashes.push(root)
      if (hashes.length < WIDTH) return
      root = rootOf(hashes)
      edge[level] = []
    }
  }
}

function readBundle(
  dir: string,
  n: number,
  leaves: readonly Buffer[],
  take: (bytes: Buffer, index: number) => void,
): void {
  const name = nameOf('entries', n, leaves.length)
  const bundle = read(dir, name, n * WIDTH)
  let at = 0
  for (const [place, leaf] of leaves.entries()) {
    const index = n * WIDTH + place
    const length = at + 2 <= bundle.length ? bundle.readUInt16BE(at) : 0
    const bytes = bundle.subarray(at + 2, at + 2 + length)
    if (at + 2 + length > bundle.length) throw new Fault(name, index, 'the file ends before this entry')
    if (!leafHash(bytes).equals(leaf)) throw new Fault(name, index, 'this entry is not the one in the tree')
    take(bytes, index)
    at += 2 + length
  }
  if (at !== bundle.length) throw new Fault(name, n * WIDTH + leaves.length, 'something follows the last entry')
}

/** What is said of every hour, key, erasure and value, checked as the entries pass. */
function openEntries(
  dir: string,
  manifest: Manifest,
  keys: readonly KeyLine[],
  verdict: Verdict,
  recount: Recount | null,
) {
  const dictionary = read(dir, 'fields.json', null)
  if (hash('sha256', dictionary, 'base64') !== manifest.fields)
    throw new Fault('fields.json', null, 'it is not the one of the manifest')
  const fields = (JSON.parse(dictionary.toString('utf8')) as { name: string }[]).map(({ name }) => name)
  const places = new Map(fields.map((field, place) => [field, place]))
  const blank = fields.map(() => '')
  const indexAt = fields.indexOf('index')
  if (indexAt < 0 || places.size < fields.length)
    throw new Fault('fields.json', null, 'a field is twice in it, or the index is not')
  const open = (name: string): Lines => {
    if (!existsSync(join(dir, name))) throw new Fault(name, null, 'the file is missing')
    return new Lines(join(dir, name))
  }
  const [ndjson, csv, hours] = [open('entries.ndjson'), open('entries.csv'), open('hours.ndjson')]
  const openings = manifest.openings ? open('openings.ndjson') : null
  if (csv.next() !== fields.join(',')) throw new Fault('entries.csv', null, 'its first line is not the list of fields')
  const erased = new Map<string, number>()
  const closed = new Map<string, number>()
  let nextHour = readHour(hours, keys)
  let passed: Mark[] = []
  let nextOpening = openings === null ? null : parseJson(openings.next())
  let lastHour = Number.NaN
  let latestAt = 0
  let earliestAt = Number.POSITIVE_INFINITY
  let nextKey = 0

  /** Takes the next line of hours.ndjson; the root it names has to be met at its size. */
  const addHour = ({ hour, size, root }: Hour, missed: number): void => {
    const index = size - 1
    const gap = gapTo(hour, lastHour)
    if (!(gap >= 0) || gap !== missed)
      throw new Fault('hours.ndjson', index, `${gap} hours are missing before this one, and ${missed} are admitted`)
    for (let each = gap; each > 0; each -= 1) verdict.hours.missed.push(new Date(hour - each * 3_600_000).toISOString())
    lastHour = hour
    verdict.hours.count += 1
    verdict.hours.first ??= new Date(hour).toISOString()
    verdict.hours.last = new Date(hour).toISOString()
    passed.push({ where: 'hours.ndjson', index, size, root })
    nextHour = readHour(hours, keys)
  }
  const checkHour = (entry: Json, index: number): void => {
    if (nextHour === null || nextHour.size !== index + 1 || nextHour.text !== entry['hour'])
      throw new Fault('hours.ndjson', index, `the checkpoint of the hour ${String(entry['hour'])} is missing`)
    addHour(nextHour, Number(entry['missed']))
    const { clock } = verdict
    clock.largestStepMs = largest(clock.largestStepMs, Number(entry['clockStepMs']))
    clock.largestDatabaseOffsetMs = largest(clock.largestDatabaseOffsetMs, Number(entry['databaseOffsetMs']))
    const source = String(entry['clockSource'])
    if (!clock.sources.includes(source)) clock.sources.push(source)
  }
  const checkKey = (entry: Json, index: number): void => {
    const line = keys[nextKey]
    const before = keys[nextKey - 1]?.key.text ?? null
    if (line?.index !== index || entry['publicKey'] !== line.key.text || entry['previous'] !== before)
      throw new Fault('keys.ndjson', index, 'the history of keys is not the one in the entries')
    nextKey += 1
  }
  const checkOpenings = (entry: Json, index: number): void => {
    const commitments = commitmentsOf(entry)
    verdict.commitments.total += commitments.size
    if (openings === null) return
    const seen = new Set<string>()
    while (nextOpening !== null && Number(nextOpening['index']) <= index) {
      if (nextOpening['index'] !== index) throw new Fault('openings.ndjson', index, 'it opens what is not there')
      seen.add(checkOpening(nextOpening, commitments, index))
      nextOpening = parseJson(openings.next())
    }
    verdict.commitments.opened += seen.size
    for (const field of commitments.keys()) if (!seen.has(field)) closed.set(`${index}:${field}`, index)
  }
  return {
    add: (bytes: Buffer, index: number): void => {
      const text = bytes.toString('utf8')
      const entry = parseJson(text)
      const at = Date.parse(String(entry?.['at']))
      if (entry === null || typeof entry['kind'] !== 'string' || !(at >= 0))
        throw new Fault('entry', index, 'it is no audit entry')
      verdict.tenantId ??= String(entry['tenantId'])
      if (entry['tenantId'] !== verdict.tenantId) throw new Fault('entry', index, 'it belongs to another tenant')
      if (entry['kind'] === 'log-key') checkKey(entry, index)
      if (index < manifest.first || index >= manifest.end) return
      if (entry['kind'] === 'hour') checkHour(entry, index)
      if (entry['kind'] === 'erased') for (const each of entry['openings'] as string[]) erased.set(each, index)
      checkOpenings(entry, index)
      const line = ndjson.nextBytes()
      const head = `{"index":${index},"entry":`
      const isSame = line?.length === head.length + bytes.length + 1 && line.subarray(head.length, -1).equals(bytes)
      if (!isSame || line.toString('latin1', 0, head.length) !== head || line.at(-1) !== 0x7d)
        throw new Fault('entries.ndjson', index, 'it says something else than the entry')
      const cells = blank.slice()
      for (const name in entry) {
        const place = places.get(name)
        if (place !== undefined) cells[place] = cell(entry[name])
      }
      cells[indexAt] = String(index)
      const row = cells.join(',')
      if (!(row.includes('\n') ? row.split('\n') : [row]).every((part) => csv.next() === part))
        throw new Fault('entries.csv', index, 'it says something else than the entry')
      verdict.clock.largestBackwardMs = Math.max(verdict.clock.largestBackwardMs, latestAt - at)
      latestAt = Math.max(latestAt, at)
      earliestAt = Math.min(earliestAt, at)
      recount?.add(entry, at)
      verdict.entriesRead += 1
    },
    /** Checkpoints of the hours that end within these leaves. */
    hoursWithin: (start: number, end: number): Mark[] => {
      while (nextHour !== null && nextHour.size <= end) {
        const index = nextHour.size - 1
        const isRead = index >= manifest.first && index < manifest.end
        if (index < start || isRead) throw new Fault('hours.ndjson', index, 'no hour begins with this entry')
        addHour(nextHour, gapTo(nextHour.hour, lastHour))
      }
      const found = passed
      passed = []
      return found
    },
    end: (): void => {
      const left = [ndjson.next(), csv.next(), nextHour, nextOpening]
      for (const file of [ndjson, csv, hours, openings]) file?.close()
      if (nextKey !== keys.length)
        throw new Fault('keys.ndjson', keys[nextKey]?.index ?? null, 'a key is not in the entries')
      verdict.commitments.erased = erased.size
      for (const [place, index] of closed)
        if (!erased.has(place))
          throw new Fault(
            'openings.ndjson',
            index,
            `the value of ${place} is missing, and nothing records that it was erased`,
          )
      if (openings !== null && erased.size > 0) checkErased(dir, erased)
      if (left.some((each) => each !== null))
        throw new Fault('export', null, 'there is more in it than the log has entries')
    },
    /** When the first and the last entry were made. */
    span: (): Span => ({ from: earliestAt, to: latestAt }),
  }
}

const largest = (one: number, other: number): number => (Math.abs(other) > Math.abs(one) ? other : one)
const gapTo = (hour: number, last: number): number => (Number.isNaN(last) ? 0 : (hour - last) / 3_600_000 - 1)

function checkErased(dir: string, erased: ReadonlyMap<string, number>): void {
  const lines = new Lines(join(dir, 'openings.ndjson'))
  for (let raw = parseJson(lines.next()); raw !== null; raw = parseJson(lines.next())) {
    if (erased.has(`${String(raw['index'])}:${String(raw['field'])}`))
      throw new Fault('openings.ndjson', Number(raw['index']), 'a value is still here although its erasure is recorded')
  }
  lines.close()
}

type Hour = { readonly text: string; readonly hour: number; readonly size: number; readonly root: Buffer }

function readHour(lines: Lines, keys: readonly KeyLine[]): Hour | null {
  const line = lines.next()
  if (line === null) return null
  const raw = parseJson(line)
  const text = String(raw?.['hour'])
  const hour = Date.parse(text)
  const note = parseCheckpoint(Buffer.from(String(raw?.['note'])))
  if (Number.isNaN(hour) || note === null) throw new Fault('hours.ndjson', null, 'a line of it is damaged')
  if (note.origin !== keys[0]?.key.name || signedAt(note, keyAt(keys, note.size)) === null)
    throw new Fault('hours.ndjson', note.size - 1, 'the checkpoint of this hour is not signed by the key of the log')
  return { text, hour, size: note.size, root: note.root }
}

// ── Receipts: C2SP tlog-proof ────────────────────────────────────────────────────────────────────────────────────────

export type ReceiptVerdict = {
  ok: boolean
  origin: string | null
  index: number | null
  size: number | null
  entry: Json | null
  /** What the opened commitments say. */
  opened: Record<string, string>
  witnesses: { name: string; at: string }[]
  isQuorumMet: boolean | null
  isKeyGiven: boolean
  firstBad?: FirstBad
}

/** A file is one proof, or the answer of the hub, in which there are several. */
export function verifyReceipts(text: string, options: VerifyOptions): ReceiptVerdict[] {
  const answer = parseJson(text)
  const proofs = answer === null ? [text] : ((answer['receipts'] ?? []) as Json[]).map((each) => String(each['proof']))
  if (proofs.length === 0) throw new NothingToJudge('there is no receipt in it yet')
  return proofs.map((proof) => verifyReceipt(proof, options))
}

function verifyReceipt(text: string, options: VerifyOptions): ReceiptVerdict {
  const verdict: ReceiptVerdict = {
    ok: false,
    origin: null,
    index: null,
    size: null,
    entry: null,
    opened: {},
    witnesses: [],
    isQuorumMet: null,
    isKeyGiven: false,
  }
  try {
    judgeReceipt(text, options, verdict)
    verdict.ok = true
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown
    verdict.firstBad = thrown.bad
  }
  return verdict
}

function judgeReceipt(text: string, options: VerifyOptions, verdict: ReceiptVerdict): void {
  const end = text.indexOf('\n\n')
  const [magic, extraLine = '', indexLine = '', ...path] = text.slice(0, Math.max(0, end)).split('\n')
  const index = /^index (0|[1-9]\d{0,14})$/.exec(indexLine)?.[1]
  const extra = parseJson(Buffer.from(/^extra (\S+)$/.exec(extraLine)?.[1] ?? '', 'base64').toString('utf8'))
  const checkpoint = parseCheckpoint(Buffer.from(text.slice(end + 2)))
  const hashes = path.map(parseHash)
  if (magic !== 'c2sp.org/tlog-proof@v1' || index === undefined || extra === null || hashes.includes(null))
    throw new Fault('receipt', null, 'it is no proof as C2SP tlog-proof has it, with the entry in its extra line')
  if (checkpoint === null) throw new Fault('checkpoint', null, 'it is no signed checkpoint')
  const bytes = Buffer.from(String(extra['entry']), 'base64')
  const entry = parseJson(bytes.toString('utf8'))
  Object.assign(verdict, { origin: checkpoint.origin, index: Number(index), size: checkpoint.size, entry })
  const policy = options.policy === undefined ? null : parsePolicy(options.policy)
  const known = [options.key === undefined ? null : parseKey(options.key), ...(policy?.logs ?? [])].filter(
    (key) => key !== null,
  )
  if (options.key !== undefined && parseKey(options.key)?.type !== LOG)
    throw new NothingToJudge('the given key is no verifier key')
  verdict.isKeyGiven = known.length > 0
  if (known.length === 0) throw new NothingToJudge('a receipt is verified with the key of the log: --key or --policy')
  if (!known.some((key) => key.name === checkpoint.origin && signedAt(checkpoint, key) !== null))
    throw new Fault('checkpoint', null, 'the given key did not sign it')
  if (policy !== null) askWitnesses(checkpoint, policy, verdict)
  const root = rootFromPath(Number(index), checkpoint.size, leafHash(bytes), hashes as Buffer[])
  if (root === null || !root.equals(checkpoint.root))
    throw new Fault('receipt', Number(index), 'the path does not lead from this entry to the root')
  if (entry === null) throw new Fault('receipt', Number(index), 'it is no audit entry')
  const commitments = commitmentsOf(entry)
  for (const raw of (extra['openings'] ?? []) as Json[]) {
    verdict.opened[checkOpening(raw, commitments, Number(index))] = String(raw['value'])
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

export function describeVerdict(verdict: Verdict): string {
  const whose = `audit log ${verdict.origin ?? 'of an unknown origin'}`
  if (verdict.firstBad) return `NOT VERIFIED: ${whose}\n${faultLine(verdict.firstBad)}`
  const { hours, clock, commitments } = verdict
  const missed =
    hours.missed.length === 0
      ? 'none missed'
      : `${hours.missed.length} in which nothing was sealed, from ${hours.missed[0]}`
  return [
    `VERIFIED: ${whose}, tenant ${verdict.tenantId}`,
    `entries: ${verdict.size}, of which ${verdict.entriesRead} were read; root ${verdict.root}`,
    `signed by ${verdict.isKeyGiven ? 'the given key' : 'the key that the export itself names'}: ${verdict.publicKey}`,
    `witnesses: ${verdict.isQuorumMet === null ? 'no policy was given' : `quorum met: ${verdict.witnesses.map(({ name, at }) => `${name} at ${at}`).join(', ') || 'none needed'}`}`,
    `hours: ${hours.count}, ${hours.first} to ${hours.last}; ${missed}`,
    `clock: set by ${clock.sources.join(', ')}; largest step ${clock.largestStepMs} ms, largest offset to the database ${clock.largestDatabaseOffsetMs} ms`,
    `commitments: ${commitments.total}, ${commitments.opened} opened and right, ${commitments.erased} erased`,
    ...(verdict.consistentWith.length === 0
      ? []
      : [`only added to since: ${verdict.consistentWith.join(', ')} entries`]),
    ...verdict.comparisons.map(({ file, rows, period, destroyed, difference }) =>
      difference === null
        ? `report ${file}, ${period.replace('/', ' to ')}: all ${rows} rows follow from the log${destroyed === 0 ? '' : `; ${destroyed} others are not in it, destroyed by policy as the log records`}`
        : `NOT CONFIRMED: report ${file}\nfirst difference: ${difference}`,
    ),
    ...(verdict.reports === undefined ? [] : reportLines(verdict.reports)),
  ].join('\n')
}

function reportLines({ until, lfi, daily, tpps }: Reports): string[] {
  const table = (title: string, rows: readonly Row[]): string[] => {
    const [first] = rows
    if (first === undefined) return []
    return ['', title, Object.keys(first).join(','), ...rows.map((row) => Object.values(row).map(cell).join(','))]
  }
  const ofTpps = Object.entries(tpps).flatMap(([tpp, rows]) =>
    [...Map.groupBy(rows, (row) => row['Type'])].flatMap(([type, some]) => table(`${type}, TPP ${tpp}`, some)),
  )
  return [...table(`LFI by day, up to ${until}`, lfi), ...table('Calls by day', daily), ...ofTpps]
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
    const options: VerifyOptions = {
      ...values,
      policy: values.policy === undefined ? undefined : text(values.policy),
      checkpoints: (values.checkpoint ?? []).map(text),
      compare: (values.compare ?? []).map((file) => ({ file, text: text(file) })),
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
