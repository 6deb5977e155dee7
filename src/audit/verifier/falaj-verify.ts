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
 * The chapters, as things are checked (the numbers are those of format.md 7), and last what they all stand on:
 *
 *     an export        1 manifest, checkpoint and keys · 2 witnesses · 3 entries, tiles and root · 4 it only grew
 *     its lists        5 keys and hours · 6 openings and erasures · 7 the entries to read
 *     receipts         one entry, its place in the tree, and nothing else
 *     reports          recomputed from the entries; then a filed report, and the raw log, beside them
 *     words            what is printed, and the command line
 *     primitives       notes and keys · policy · hashes · commitments · files
 */
import { createPublicKey, hash, verify } from 'node:crypto'
import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

/** What is wrong, and from which entry on nothing can be relied upon; null where no entry can be named. */
export type FirstBad = { readonly where: string; readonly index: number | null; readonly reason: string }

class Fault extends Error {}
const faultOf = (where: string, index: number | null, reason: string): Fault =>
  new Fault(reason, { cause: { where, index, reason } satisfies FirstBad })
/** The first thing that does not hold ends the verification. */
function need(holds: boolean, where: string, index: number | null, reason: string): asserts holds {
  if (!holds) throw faultOf(where, index, reason)
}
/** Where it does not hold there is nothing to judge: exit status 2. */
function ask(holds: boolean, reason: string): asserts holds {
  if (!holds) throw new Error(reason)
}

// ── An export: format.md 6 and 7 ─────────────────────────────────────────────────────────────────────────────────────

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

/** Checkpoints noted earlier and the policy are texts; `tpp` is whom reports to a TPP were made for. */
export type VerifyOptions = Readonly<Partial<Record<'key' | 'policy' | 'period' | 'tpp', string | undefined>>> & {
  readonly checkpoints?: readonly string[]
  readonly reports?: boolean | undefined
  readonly compare?: readonly Filed[]
  /** Names of files. */
  readonly rawLogs?: readonly string[]
}

/** The first fault ends the work, and is what the verdict says. */
function judge<V extends { ok: boolean; firstBad?: FirstBad }>(verdict: V, isGood: (verdict: V) => boolean): V {
  try {
    verdict.ok = isGood(verdict)
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown
    verdict.firstBad = thrown.cause as FirstBad
  }
  return verdict
}

export const verifyExport = (dir: string, options: VerifyOptions = {}): Verdict =>
  judge<Verdict>(emptyVerdict(), (verdict) => walk(dir, options, verdict))

function walk(dir: string, options: VerifyOptions, verdict: Verdict): boolean {
  const manifest = readManifest(dir)
  const { checkpoint, keys } = readSigned(dir, manifest, options, verdict)
  const hours = readHours(dir, keys, checkpoint.size)
  const older = (options.checkpoints ?? []).map((text) => noted(text, checkpoint, keys))

  const { compare: filed = [], reports: isReported = false } = options
  const recount = createRecount()
  const rawLogs = (options.rawLogs ?? []).map((file) => openRawLog(file, options.period))
  const counts = [...(isReported || filed.length > 0 ? [recount] : []), ...rawLogs]
  const isWhole = manifest.first === 0 && manifest.end === checkpoint.size
  ask(counts.length === 0 || isWhole, 'reports follow from the whole log, and this export holds a period of it')

  const isRead = (index: number): boolean => index >= manifest.first && index < manifest.end
  const ofKeys = besideKeys(keys)
  const hoursRead = hours.filter((hour) => isRead(hour.size - 1))
  const beside = [besideOpenings(dir, manifest.openings, verdict), besideCopies(dir, manifest.fields)]
  const lists = [besideHours(hoursRead, verdict), ...beside]
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
  // Bundles with a key are always there.
  const withKeys = new Set(keys.map(({ index }) => Math.floor(index / WIDTH)))
  walkTree(dir, checkpoint, [...older, ...keys, ...hours], (n, leaves) => {
    const isHere = n * WIDTH < manifest.end && n * WIDTH + leaves.length > manifest.first
    if (isHere || withKeys.has(n)) readBundle(dir, n, leaves, take)
  })
  for (const each of [ofKeys, ...lists]) each.end()

  const [root, consistentWith] = [checkpoint.root.toString('base64'), older.map((mark) => mark.size)]
  Object.assign(verdict, { size: checkpoint.size, root, consistentWith, hours: hoursTold(hours) })
  if (isReported) verdict.reports = reportsOf(recount, span.from, span.to)
  verdict.comparisons = [
    ...filed.map((each) => compare(each, recount, span.to, options)),
    ...rawLogs.map((each) => each.end(span.to)),
  ]
  return verdict.comparisons.every(({ difference }) => difference === null)
}

/**
 * What the export says it holds: entries from `first` up to but not including `end`, in whole bundles. Whatever of it
 * could mislead is checked against what is signed; `fields` is the SHA-256 of fields.json, in base64.
 */
type Manifest = Readonly<Record<'format' | 'origin' | 'publicKey' | 'fields', string>> &
  Readonly<Record<'size' | 'first' | 'end', number>> & { readonly openings: boolean }

function readManifest(dir: string): Manifest {
  const path = join(dir, 'manifest.json')
  ask(existsSync(path), `${dir} holds no manifest.json: it is no finished export`)
  const text = readFileSync(path, 'utf8')
  const { format, origin, publicKey, size, first, end, openings, fields } = (parseJson(text) ?? {}) as Partial<Manifest>
  const manifest = { format, origin, publicKey, size, first, end, openings, fields }
  const isOurs = format === 'falaj-audit-export/v1' && [size, first, end].every((each) => Number.isSafeInteger(each))
  need(isOurs && text === `${JSON.stringify(manifest)}\n`, 'manifest.json', null, 'it is damaged')
  return manifest as Manifest
}

function readSigned(dir: string, manifest: Manifest, options: VerifyOptions, verdict: Verdict) {
  const policy = parsePolicy(options.policy)
  const checkpoint = parseCheckpoint(read(dir, 'checkpoint', null))
  need(checkpoint !== null, 'checkpoint', null, 'it is no signed checkpoint')
  const { origin, size } = checkpoint
  need(origin === manifest.origin, 'checkpoint', null, 'it is of another log than the manifest')
  const keys = readKeys(dir, origin)
  const signer = keyAt(keys, size)
  const signatures = checkpoint.signatures.map(({ name, id }) => `${name}+${id}`)
  const given = [options.key, ...(policy?.logs ?? []).map((key) => key.text)].filter((key) => key !== undefined)
  const isKeyGiven = given.length > 0
  Object.assign(verdict, { origin, publicKey: signer.text, isKeyGiven, keys: keys.length, signatures })
  if (isKeyGiven) trust(keys, given)
  need(signedAt(checkpoint, signer) !== null, 'checkpoint', null, 'the key of the log did not sign it')
  const isSaid = manifest.size === size && manifest.publicKey === signer.text && manifest.end <= size
  need(isSaid, 'manifest.json', null, 'it says something else than the checkpoint')
  if (policy !== null) askWitnesses(checkpoint, policy, verdict)
  return { checkpoint, keys }
}

/** A root that must be met on the way. */
type Mark = { readonly where: string; readonly size: number; readonly root: Buffer }
/** A key, the place from which it signs, and the first checkpoint it signed, of `index + 1` entries. */
type KeyLine = Mark & { readonly index: number; readonly key: Key; readonly note: Checkpoint }

function readKeys(dir: string, origin: string): readonly KeyLine[] {
  const where = 'keys.ndjson'
  const lines = read(dir, where, null).toString('utf8').trimEnd().split('\n')
  return lines.map((line, at): KeyLine => {
    const raw = parseJson(line)
    const key = parseKey(String(raw?.['publicKey']))
    const note = parseCheckpoint(Buffer.from(String(raw?.['note'])))
    const index = Number(raw?.['index'])
    const isSound = key?.type === LOG && key.name === origin && note?.size === index + 1 && (at > 0 || index === 0)
    need(isSound && key !== null && note !== null, where, null, `line ${at + 1} is damaged`)
    need(signedAt(note, key) !== null, where, index, 'the key did not sign its first checkpoint')
    return { where, size: note.size, root: note.root, index, key, note }
  })
}

const keyAt = (keys: readonly KeyLine[], size: number): Key =>
  (keys.findLast(({ index }) => index < size) ?? (keys[0] as KeyLine)).key

/** The given key must be the last of the history, or an older one from which each next one was vouched for. */
function trust(keys: readonly KeyLine[], given: readonly string[]): void {
  const from = keys.findLastIndex(({ key }) => given.includes(key.text))
  need(from >= 0, 'keys.ndjson', null, 'the given key is not a key of this log')
  for (const [at, { index, note }] of keys.entries()) {
    const before = keys[at - 1]?.key
    const isVouchedFor = at <= from || (before !== undefined && signedAt(note, before) !== null)
    need(isVouchedFor, 'keys.ndjson', index, 'the key before this one does not vouch for it')
  }
}

function askWitnesses(checkpoint: Checkpoint, policy: Policy, verdict: ReturnType<typeof unwitnessed>): void {
  for (const [name, key] of policy.witnesses) {
    const seconds = signedAt(checkpoint, key)
    if (seconds === null) verdict.absent.push({ name, key: key.text })
    else verdict.witnesses.push({ name, key: key.text, at: timeOf(seconds * 1000) })
  }
  verdict.quorum = policy.quorum
  verdict.isQuorumMet = policy.isMet(new Set(verdict.witnesses.map(({ name }) => name)))
  need(verdict.isQuorumMet, 'checkpoint', null, 'the quorum of witnesses that the policy asks for is not met')
}

function noted(text: string, now: Checkpoint, keys: readonly KeyLine[]): Mark {
  const where = 'checkpoint noted earlier'
  const old = parseCheckpoint(Buffer.from(text))
  ask(old !== null && old.origin === now.origin, `a ${where} is not of this log`)
  const isSigned = keys.some(({ key }) => signedAt(old, key) !== null)
  ask(isSigned, `a ${where} is not signed by a key of this log`)
  need(old.size <= now.size, where, now.size, `${old.size} entries were signed then, and ${now.size} are here`)
  return { where, size: old.size, root: old.root }
}

type Visit = (n: number, leaves: Hashes) => void
/** Every tile and, on the way, every root that somebody signed or noted; `visit` gets the leaves before that. */
function walkTree(dir: string, { size, root: signed }: Checkpoint, marks: readonly Mark[], visit: Visit): void {
  /** By level, what the tile that is not complete yet has, and what it has as it is in the export. */
  const edge: Hashes[] = [[]]
  const stored: Hashes[] = []
  /**
   * Puts the hash of a complete tile into the level above, whose own tile has to say the same: so a tree that was
   * changed is found out at the tile in which it was, and not at the next checkpoint only.
   */
  const raise = (level: number, place: number, root: Buffer): void => {
    const [n, first] = [Math.floor(place / WIDTH), place * WIDTH ** level]
    const width = Math.min(WIDTH, Math.floor(size / WIDTH ** level) - n * WIDTH)
    const hashes = edge[level] ?? []
    if (hashes.length === 0) stored[level] = readTile(dir, level, n, width, first)
    const isSame = stored[level]?.[hashes.length]?.equals(root) === true
    need(isSame, nameOf(String(level), n, width), first, 'it does not agree with the tiles below it')
    edge[level] = hashes.length + 1 < WIDTH ? [...hashes, root] : []
    if (hashes.length + 1 === WIDTH) raise(level + 1, n, rootOf([...hashes, root]))
  }
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
  need(rootOfEdge(edge).equals(signed), 'checkpoint', good, reason)
}

function readTile(dir: string, level: number, n: number, width: number, index: number): Buffer[] {
  const name = nameOf(String(level), n, width)
  const bytes = read(dir, name, index)
  const wrong = index + Math.floor(bytes.length / 32) * WIDTH ** level
  need(bytes.length === width * 32, name, wrong, 'it has not the size of its tile')
  return Array.from({ length: width }, (_, at) => bytes.subarray(at * 32, at * 32 + 32))
}

function readBundle(dir: string, n: number, leaves: Hashes, take: (bytes: Buffer, index: number) => void): void {
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

// ── The lists of an export, beside its entries ───────────────────────────────────────────────────────────────────────

/** Whoever wants to see the entries as they pass; a checker holds them against what else is said of them. */
type Listener = { add(entry: Json, at: number, index: number, bytes: Buffer): void }
type Checker = Listener & { end(): void }

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

/** A century: what a line says of its hour is not signed, and may be anything. */
const GAP_MAX = 100 * 366 * 24
/** `gap`: hours before it that are not there. */
type Hour = Mark & { readonly text: string; readonly gap: number }

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
    const gap = before === undefined ? 0 : (at - Date.parse(before.text)) / HOUR - 1
    const isNext =
      Number.isInteger(gap) && gap >= 0 && gap < GAP_MAX && note.size > (before?.size ?? 0) && note.size <= size
    need(isNext, where, note.size - 1, 'this hour does not follow the one before it')
    hours.push({ where, text, gap, size: note.size, root: note.root })
  }
  return hours
}

/** Only when entries have confirmed the hours: what a line says of its hour is not signed. */
function hoursTold(hours: readonly Hour[]): Verdict['hours'] {
  const before = ({ text, gap }: Hour) =>
    Array.from({ length: gap }, (_, n) => timeOf(Date.parse(text) - (gap - n) * HOUR))
  const [first = null, last = null] = [hours[0]?.text, hours.at(-1)?.text]
  return { count: hours.length, first, last, missed: hours.flatMap(before) }
}

/** Each hour begins with an entry, which says how the clock was: format.md 5. */
function besideHours(hours: readonly Hour[], { hourly, clock }: Verdict): Checker {
  const where = 'hours.ndjson'
  const largest = (one: number, other: number): number => (Math.abs(other) > Math.abs(one) ? other : one)
  return {
    add: (entry, _at, index) => {
      if (entry['kind'] !== 'hour') return
      const { hour, missed, clockSource, clockStepMs, databaseOffsetMs } = entry
      const line = hours[hourly.length]
      const isSame = line?.size === index + 1 && line.text === hour
      need(isSame, where, index, `the checkpoint of the hour ${String(hour)} is missing`)
      const reason = `${line.gap} hours are missing before this one, and ${String(missed)} are admitted`
      need(line.gap === missed, where, index, reason)
      hourly.push({ hour, size: line.size, clockSource, clockStepMs, databaseOffsetMs })
      if (!clock.sources.includes(String(clockSource))) clock.sources.push(String(clockSource))
      clock.largestStepMs = largest(clock.largestStepMs, Number(clockStepMs))
      clock.largestDatabaseOffsetMs = largest(clock.largestDatabaseOffsetMs, Number(databaseOffsetMs))
    },
    end: () => {
      const next = hours[hourly.length]
      need(next === undefined, where, (next?.size ?? 0) - 1, 'no hour begins with this entry')
    },
  }
}

/** Every opening opens its commitment; a commitment without one was erased, and its value is nowhere: format.md 3. */
function besideOpenings(dir: string, areHere: boolean, { commitments: counts, redactions }: Verdict): Checker {
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

/** The entries to read, line by line, and the same as a table. */
function besideCopies(dir: string, digest: string): Checker {
  const dictionary = read(dir, 'fields.json', null)
  need(hash('sha256', dictionary, 'base64') === digest, 'fields.json', null, 'it is not the one of the manifest')
  const fields = (JSON.parse(dictionary.toString('utf8')) as { name: string }[]).map(({ name }) => name)
  const places = new Map(fields.map((field, place) => [field, place]))
  const isUsable = places.has('index') && places.size === fields.length
  need(isUsable, 'fields.json', null, 'a field is twice in it, or the index is not')
  const [ndjson, csv] = [openList(dir, 'entries.ndjson'), openList(dir, 'entries.csv')]
  const isHeaded = csv()?.toString('utf8') === fields.join(',')
  need(isHeaded, 'entries.csv', null, 'its first line is not the list of fields')
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
      cells[places.get('index') ?? 0] = String(index)
      // A text in a table may hold line feeds.
      const isSameRow = cells
        .join(',')
        .split('\n')
        .every((part) => csv()?.toString('utf8') === part)
      need(isSameRow, 'entries.csv', index, 'it says something else than the entry')
    },
    end: () => {
      const isAll = ndjson() === null && csv() === null
      need(isAll, 'export', null, 'there is more in it than the log has entries')
    },
  }
}

// ── Receipts: C2SP tlog-proof, format.md 8 ───────────────────────────────────────────────────────────────────────────

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
type ReceiptVerdict = ReturnType<typeof emptyReceipt> & { firstBad?: FirstBad }

/** A file is one proof, or the answer of the hub, in which there are several. */
export function verifyReceipts(text: string, options: VerifyOptions): ReceiptVerdict[] {
  const answer = parseJson(text)
  const proofs = answer === null ? [text] : ((answer['receipts'] ?? []) as Json[]).map((each) => String(each['proof']))
  ask(proofs.length > 0, 'there is no receipt in it yet')
  return proofs.map((proof) =>
    judge<ReceiptVerdict>(emptyReceipt(), (verdict) => isReceiptGood(proof, options, verdict)),
  )
}

function isReceiptGood(text: string, options: VerifyOptions, verdict: ReceiptVerdict): true {
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
  const policy = parsePolicy(options.policy)
  const key = options.key === undefined ? null : parseKey(options.key)
  ask(options.key === undefined || key?.type === LOG, 'the given key is no verifier key')
  const known = [...(key === null ? [] : [key]), ...(policy?.logs ?? [])]
  ask(known.length > 0, 'a receipt is verified with the key of the log: --key or --policy')
  const isSigned = known.some((each) => each.name === origin && signedAt(checkpoint, each) !== null)
  need(isSigned, 'checkpoint', null, 'the given key did not sign it')
  if (policy !== null) askWitnesses(checkpoint, policy, verdict)
  const isLed = rootFromPath(index, size, leafHash(bytes), hashes)?.equals(checkpoint.root) === true
  need(isLed, 'receipt', index, 'the path does not lead from this entry to the root')
  need(entry !== null, 'receipt', index, 'it is no audit entry')
  const commitments = commitmentsOf(entry)
  for (const raw of (extra['openings'] ?? []) as Json[]) {
    verdict.opened[checkOpening(raw, commitments, index)] = String(raw['value'])
  }
  return true
}

// ── Reports, recomputed from the entries: format.md 7 ────────────────────────────────────────────────────────────────

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** Days of the reports are days of the Gulf, UTC+4 all year. */
const GULF = 4 * HOUR
/** A call of an operation is to take no longer. */
const LIMIT_US = 500_000

type Value = string | number | null
type Row = Readonly<Record<string, Value>>
type Rows = readonly Row[]
/** Rows by their keys, while they are added up. */
type Sums = Map<string, Record<string, Value>>
/** First and last day, both included. */
type Days = readonly [first: string, last: string]
type Span = { readonly from: number; readonly to: number }

const timeOf = (at: number): string => new Date(at).toISOString()
const dateOf = (at: number): string => timeOf(at + GULF).slice(0, 10)
const dayOf = (at: number): number => Math.floor((at + GULF) / DAY) * DAY - GULF
function periodOf([first, last]: Days): Span {
  const [from, to] = [Date.parse(`${first}T00:00:00Z`) - GULF, Date.parse(`${last}T00:00:00Z`) - GULF + DAY]
  ask(from < to, `${first} to ${last} is no period of days`)
  return { from, to }
}

// Each report is made of rows for which something is added up, and of columns that say for what.

/** Into the row of this key: its numbers are added up, but for the least and the most of them. */
function collect(rows: Sums, about: Row, figures: Row, key: unknown = about): void {
  const name = JSON.stringify(key)
  const row = rows.get(name)
  if (row === undefined) rows.set(name, { ...about, ...figures })
  else
    for (const column in figures) {
      const [one, other] = [row[column], figures[column]]
      if (typeof other !== 'number') continue
      if (typeof one !== 'number') row[column] = other
      else if (column.endsWith('_min')) row[column] = Math.min(one, other)
      else row[column] = column.endsWith('_max') ? Math.max(one, other) : one + other
    }
}

/** Rows that agree in these columns become one. */
function sumBy(rows: Rows, columns: readonly string[]): Row[] {
  const found = new Map() as Sums
  const keyOf = (row: Row) => columns.map((name) => row[name])
  for (const row of rows) collect(found, row, row, keyOf(row))
  return [...found.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row)
}

/** What tells the rows of calls apart. */
const BUCKET = 'door api_set method route organisation_id client_id tpp_group lfi_group'.split(' ')
/** What tells the rows of a dataset apart beside the day; the call says those that no member of an entry has. */
const ABOUT_DATASETS: Readonly<Record<string, readonly string[]>> = {
  consents: 'TppId TppClientId ConsentType StandardVersion UserType Purpose IsLargeCorporate'.split(' '),
  payments: 'TppId TppClientId PaymentConsentType PaymentType MerchantId'.split(' '),
  billing: 'TppId TppClientId ApiSet PaymentType MerchantId HttpMethod Url'.split(' '),
  times: ['HttpMethod', 'Url'],
}
const RENAMED = new Map(
  Object.entries({ TppId: 'organisationId', TppClientId: 'clientId', HttpMethod: 'method', Url: 'route' }),
)
/** A member is called like its column, with a small letter, but for these. */
const memberOf = (column: string): string => RENAMED.get(column) ?? column.charAt(0).toLowerCase() + column.slice(1)

/** What is counted of consents: entries that say this. */
// biome-ignore format: columns that belong together stand together
const OF_CONSENTS: Readonly<Record<string, Json>> = {
  Renewals: { change: 'lodged', isRenewal: true },
  Lodged: { change: 'lodged' }, Authorized: { change: 'authorize' }, Rejected: { change: 'reject' },
  Lapsed: { change: 'lapse' }, Suspended: { change: 'suspend' }, Resumed: { change: 'resume' },
  Revoked: { change: 'revoke' }, Expired: { change: 'expire' }, Consumed: { change: 'consume' },
  RevokedByTpp: { change: 'revoke', revokedBy: 'TPP' },
  RevokedByTppForUser: { change: 'revoke', revokedBy: 'TPP.InitiatedByUser' },
  RevokedByLfi: { change: 'revoke', revokedBy: 'LFI' },
  RevokedByLfiForUser: { change: 'revoke', revokedBy: 'LFI.InitiatedByUser' },
}
/** And of payments: changes of this name, and those that reach one of these states from none of them. */
// biome-ignore format: columns that belong together stand together
const OF_PAYMENTS: Readonly<Record<string, readonly unknown[]>> = {
  Asked: ['asked'], Unanswered: ['unanswered'],
  Pending: ['Pending'], Rejected: ['Rejected'], Refused: ['refused'],
  Successful: ['AcceptedSettlementCompleted', 'AcceptedWithoutPosting', 'AcceptedCreditSettlementCompleted'],
}
/** Columns of which this holds count one. */
const countIf = <T>(columns: Readonly<Record<string, T>>, holds: (condition: T) => boolean): Row =>
  Object.fromEntries(Object.entries(columns).map(([name, condition]) => [name, holds(condition) ? 1 : 0]))
const consentFigures = (entry: Json): Row =>
  countIf(OF_CONSENTS, (meant) => Object.keys(meant).every((member) => entry[member] === meant[member]))
const paymentFigures = ({ change, from, to, successfulTransactions = 0 }: Json): Row => ({
  ...countIf(OF_PAYMENTS, (names) => names.includes(change) || (names.includes(to) && !names.includes(from))),
  NumberOfSuccessfulTransactions: Number(successfulTransactions),
})

const groupOf = (status: number): string => (status >= 500 ? '5xx' : status >= 400 ? '4xx' : '2xx')
const numberOf = (value: unknown): number | null => (typeof value === 'number' ? value : null)
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
const microseconds = (ms: unknown): number | null => (typeof ms === 'number' ? Math.round(ms * 1000) : null)

/** Times in microseconds and groups of status codes of a call; null what the LFI has none of. */
function callOf(entry: Json) {
  const status = numberOf(entry['status']) ?? 0
  const lfiStatus = numberOf(entry['lfiStatus'])
  const lfiUs = microseconds(entry['lfiMs'])
  const totalUs = (microseconds(entry['hubMs']) ?? 0) + (lfiUs ?? 0)
  // No answer of the LFI counts as a failure of it, unless the caller had gone.
  const unanswered = entry['lfiOutcome'] === 'cancelled' ? null : '5xx'
  const lfiGroup = lfiUs === null ? null : lfiStatus === null ? unanswered : groupOf(lfiStatus)
  const [hubInUs, hubOutUs] = [microseconds(entry['hubInMs']), microseconds(entry['hubOutMs'])]
  return { status, group: groupOf(status), lfiStatus, lfiGroup, totalUs, hubInUs, lfiUs, hubOutUs }
}

type Recount = ReturnType<typeof createRecount>

export function createRecount() {
  const hours = new Map() as Sums
  const days = new Map() as Sums
  const downtime = createDowntime()
  let destroyed = 0

  const addToDay = (dataset: string, entry: Json, at: number, figures: Row, more: Row = {}): void => {
    if (Object.values(figures).every((each) => each === 0)) return
    const row: Record<string, Value> = { Dataset: dataset, ReportingPeriodDate: dateOf(at) }
    for (const column of ABOUT_DATASETS[dataset] ?? []) row[column] = String(entry[memberOf(column)] ?? '')
    Object.assign(row, more)
    collect(days, row, figures)
  }

  const addCall = (entry: Json, at: number): void => {
    const { status, group, lfiStatus, lfiGroup, totalUs, hubInUs, lfiUs, hubOutUs } = callOf(entry)
    const [door, route, apiSet] = [textOf(entry['surface']), textOf(entry['route']), textOf(entry['apiSet'])]
    const [method, isAttended] = [textOf(entry['method']), entry['attended'] === true]
    const client = textOf(entry['clientId'] ?? entry['callerClientId'])
    const records = Number(entry['records'] ?? 0)
    const overLimit = totalUs > LIMIT_US ? 1 : 0

    const hour = at - (at % HOUR)
    const operation = { door, api_set: apiSet, method: route === '' ? '' : method, route }
    const caller = { organisation_id: textOf(entry['organisationId']), client_id: client }
    const about = { starts_at: hour, ...operation, ...caller, tpp_group: group, lfi_group: lfiGroup ?? '' }
    const total = { total_us_min: totalUs, total_us_max: totalUs, total_us_sum: totalUs }
    const ofLfi = { lfi_us_min: lfiUs, lfi_us_max: lfiUs, lfi_us_sum: lfiUs ?? 0 }
    const figures = { calls: 1, attended: isAttended ? 1 : 0, records, over_limit: overLimit, ...total, ...ofLfi }
    collect(hours, about, figures)

    if (route === '') return
    if (door === 'rs') {
      const asked = lfiUs === null ? { hubIn: totalUs } : { hubIn: hubInUs ?? 0, lfi: lfiUs, hubOut: hubOutUs ?? 0 }
      const times: Record<string, Value> = { TotalCalls: 1, CallsOverLimit: overLimit }
      for (const [part, us] of Object.entries({ total: totalUs, ...asked })) times[`${part} ${bucketOf(us)}`] = 1
      addToDay('times', entry, at, times)
    }
    // Only operations that are reported on are billed, and have clocks.
    if (apiSet === '') return
    if (door === 'rs' && entry['kind'] === 'tpp-call') {
      const more = { IsAttended: String(isAttended), HttpResponseCodeGroup: group }
      addToDay('billing', entry, at, { TotalCalls: 1, Records: records }, more)
    }
    const outcome = entry['lfiOutcome'] ?? 'answered'
    // Null is a question that was not decided: nobody was asked, or the caller hung up before the answer.
    const lfi = lfiUs === null || outcome === 'cancelled' ? null : (lfiStatus ?? 0) >= 500 || outcome !== 'answered'
    const hub = status < 500 ? false : lfi === true ? null : true
    downtime.signal('lfi', `${method} ${route}`, lfi, at + Math.floor(((hubInUs ?? 0) + (lfiUs ?? 0)) / 1000))
    downtime.signal('hub', `${method} ${route}`, hub, at + Math.floor(totalUs / 1000))
  }

  return {
    add: (entry: Json, at: number): void => {
      const { kind, event, resource } = entry
      if (kind === 'tpp-call' || kind === 'lfi-request') addCall(entry, at)
      else if (kind === 'consent-changed') addToDay('consents', entry, at, consentFigures(entry))
      else if (kind === 'resource-changed' && resource === 'payment')
        addToDay('payments', entry, at, paymentFigures(entry))
      else if (kind === 'admin-act' && String(entry['act']).startsWith('outage '))
        downtime.declare(String(entry['target']))
      else if (kind === 'system' && event === 'lfi-down') downtime.signal('lfi', null, true, at)
      else if (kind === 'system' && event === 'lfi-up') downtime.signal('lfi', null, false, at)
      else if (kind === 'system' && event === 'destroyed') {
        const [, before = ''] = /^before (\S+): (?:report_|outage )/.exec(String(entry['detail'])) ?? []
        destroyed = Math.max(destroyed, Date.parse(before) || 0)
      }
    },
    /** Figures of days before this were destroyed by policy, as the log itself records; 0: none were. */
    destroyedBefore: () => destroyed,
    /** By day; `versions` are of these days together. */
    dataset: (name: string, [first, last]: Days): Row[] => {
      const isMeant = ({ Dataset, ReportingPeriodDate: date }: Row) =>
        Dataset === (name === 'versions' ? 'consents' : name) && String(date) >= first && String(date) <= last
      const rows = [...days.values()].filter(isMeant)
      return name === 'versions' ? versionRows(rows, [first, last]) : name === 'times' ? rows.map(timeRow) : rows
    },
    /** Added up by `hour` or `day`. */
    calls: (grain: string): Row[] => {
      const startOf = (hour: number) => timeOf(grain === 'hour' ? hour : dayOf(hour))
      const rows = [...hours.values()].map((row) => ({ grain, ...row, starts_at: startOf(Number(row['starts_at'])) }))
      return sumBy(rows, ['starts_at', ...BUCKET])
    },
    availability: downtime.availability,
  }
}

/** Clocks of failures, and what was declared. */
function createDowntime() {
  const seen: { subject: string; operation: string | null; from: number; to: number }[] = []
  const running = new Map<string, (typeof seen)[number]>()
  const declared = new Map<string, Span & { readonly subject: string; readonly kind: string }>()
  return {
    /** The clock starts at the first failure and stops at the first success after it, in the order of the log. */
    signal: (subject: string, operation: string | null, isDown: boolean | null, at: number): void => {
      const key = `${subject} ${operation ?? ''}`
      const clock = running.get(key)
      if (isDown === true && clock === undefined) {
        const down = { subject, operation, from: at, to: Number.POSITIVE_INFINITY }
        running.set(key, down)
        seen.push(down)
      } else if (isDown === false && clock !== undefined) {
        clock.to = Math.max(clock.from, at)
        running.delete(key)
      }
    },
    /** What was said last of an outage holds. */
    declare: (target: string): void => {
      const said = /^outage (\S+) (planned|unplanned) of (lfi|hub) (\S+) (\S+)$/.exec(target)
      const [, id = '', kind = '', subject = '', from = '', to = ''] = said ?? []
      const end = to === 'open' ? Number.POSITIVE_INFINITY : Date.parse(to)
      if (said !== null) declared.set(id, { kind, subject, from: Date.parse(from), to: end })
    },
    /** Of one operation, or of all together where none is named. A failed heartbeat means every operation. */
    availability: (subject: string, span: Span, operation: string | null): Row => {
      const isMeant = (down: (typeof seen)[number]): boolean =>
        down.subject === subject && (operation === null || down.operation === null || down.operation === operation)
      const said = [...declared.values()].filter((each) => each.subject === subject)
      const planned = said.filter(({ kind }) => kind === 'planned')
      return percentages(span, minutesIn(planned, span), minutesIn([...said, ...seen.filter(isMeant)], span))
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
  const percent = (part: number, whole: number, ofNothing: number) =>
    whole === 0 ? ofNothing : Math.round((100 * part) / whole)
  const total = Math.round((span.to - span.from) / 60_000)
  const down = Math.min(total, Math.max(planned, all))
  const plannedDown = Math.min(total, planned)
  const uptime = percent(total - down, total, 100)
  return {
    TotalTimeMinutes: total,
    TotalUptimeMinutes: total - down,
    PlannedDowntimeMinutes: plannedDown,
    UnplannedDowntimeMinutes: down - plannedDown,
    TotalDowntimeMinutes: down,
    UptimePercentage: uptime,
    DowntimePercentage: 100 - uptime,
    UnplannedDowntimePercentage: percent(down - plannedDown, total - plannedDown, 0),
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
function p95(row: Row, part: string): number | null {
  const counts = BOUNDS.map((_, bucket) => Number(row[`${part} ${bucket}`] ?? 0))
  let missing = Math.ceil(0.95 * counts.reduce((sum, calls) => sum + calls, 0))
  if (missing === 0) return null
  const bucket = counts.findIndex((calls) => {
    missing -= calls
    return missing <= 0
  })
  const first = BOUNDS[bucket] ?? 0
  return Math.round((first + (BOUNDS[bucket + 1] ?? first + 1) - 1) / 2)
}

const timeRow = (row: Row): Row => ({
  ...Object.fromEntries(Object.entries(row).filter(([name]) => !name.includes(' '))),
  P95Microseconds: p95(row, 'total'),
  P95HubInMicroseconds: p95(row, 'hubIn'),
  P95LfiMicroseconds: p95(row, 'lfi'),
  P95HubOutMicroseconds: p95(row, 'hubOut'),
})

/** Who created consents on which version, and the newest in which anybody did so in these days, of that type. */
function versionRows(consents: Rows, [first, last]: Days): Row[] {
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

const OPERATION = ['ApiSet', 'HttpMethod', 'Url']
const isWithin = (row: Row, { from, to }: Span): boolean => startOf(row) >= from && startOf(row) < to

/**
 * The five reports to one TPP over some days, as `/tpp-reports` names them, from all calls by day. Availability is
 * reported of every operation that the TPP has called, and of others that it may call, which the log does not know.
 */
function tppRows(recount: Recount, calls: Rows, tpp: string, [first, last]: Days, others: Rows): Row[] {
  const span = periodOf([first, last])
  const edges = { PeriodStartDate: first, PeriodEndDate: last }
  const own = calls
    .filter((row) => row['organisation_id'] === tpp && row['door'] === 'rs' && row['api_set'] !== '')
    .filter((row) => isWithin(row, span))
    .map((row) => ({ ...row, ApiSet: row['api_set'], HttpMethod: row['method'], Url: row['route'] }) as Row)
  const operation = ({ ApiSet = null, HttpMethod = null, Url = null }: Row) => ({ ApiSet, HttpMethod, Url })
  const volume = sumBy(own, ['starts_at', ...OPERATION, 'tpp_group']).map((row) => ({
    ...{ Type: 'API Call Volume', ReportingPeriodDate: dateOf(startOf(row)), ...operation(row) },
    ...{ HttpResponseCodeGroup: row['tpp_group'] ?? null, TotalCalls: row['calls'] ?? null },
  }))
  const available = (Type: string, subject: string): Row[] =>
    sumBy([...own.map(operation), ...others], ['HttpMethod', 'Url']).map((row) => {
      const { HttpMethod, Url } = row
      return { Type, ...edges, ...operation(row), ...recount.availability(subject, span, `${HttpMethod} ${Url}`) }
    })
  const performance = (Type: string, group: string, time: string): Row[] => {
    const rows = sumBy(own, [...OPERATION, group]).filter((row) => row[group] !== '')
    const callsOf = (some: Rows) => some.reduce((sum, each) => sum + Number(each['calls']), 0)
    return rows.map((row) => {
      const all = rows.filter(({ HttpMethod, Url }) => HttpMethod === row['HttpMethod'] && Url === row['Url'])
      const failed = all.filter((each) => each[group] === '5xx')
      return {
        ...{ Type, ...edges, ...operation(row), HttpResponseCodeGroup: row[group] ?? null },
        MaximumResponseTimeMicroseconds: row[`${time}_max`] ?? null,
        MinimumResponseTimeMicroseconds: row[`${time}_min`] ?? null,
        AverageResponseTimeMicroseconds: Math.round(Number(row[`${time}_sum`]) / Number(row['calls'])),
        TotalCalls: row['calls'] ?? null,
        ErrorRatePercentage: Math.round((100 * callsOf(failed)) / callsOf(all)),
      }
    })
  }
  return [
    ...volume,
    ...available('LFI Availability', 'lfi'),
    ...available('OFP Availability', 'hub'),
    ...performance('LFI Performance', 'lfi_group', 'lfi_us'),
    ...performance('OFP Performance', 'tpp_group', 'total_us'),
  ]
}

const DATASETS = ['consents', 'payments', 'billing', 'versions', 'times']
type Reports = ReturnType<typeof reportsOf>

/** Every day that the log knows, the LFI as a whole, each TPP, and the datasets; `versions` of all days together. */
function reportsOf(recount: Recount, begin: number, until: number) {
  const daily = recount.calls('day')
  const lfi: Row[] = []
  for (let from = dayOf(begin); from < until; from += DAY) {
    const span = { from, to: Math.min(until, from + DAY) }
    lfi.push({ Period: dateOf(from), ...recount.availability('lfi', span, null) })
  }
  const tpps: Record<string, Row[]> = {}
  for (const row of sumBy(daily, ['starts_at', 'organisation_id'])) {
    const [tpp, date] = [String(row['organisation_id']), dateOf(startOf(row))]
    const rows = tpp === '' ? [] : tppRows(recount, daily, tpp, [date, date], [])
    if (rows.length > 0) tpps[tpp] = [...(tpps[tpp] ?? []), ...rows]
  }
  const all = DATASETS.map((name): [string, Row[]] => [name, recount.dataset(name, [dateOf(begin), dateOf(until)])])
  // What had not ended by the last entry is reported up to it.
  return { until: timeOf(until), lfi, daily, tpps, datasets: Object.fromEntries(all) }
}

// ── A filed report beside the log ────────────────────────────────────────────────────────────────────────────────────

type Comparison = ReturnType<typeof compare>
type Filed = { readonly file: string; readonly text: string }

/** Columns that say what a row is about. All others are figures, but for the name of the LFI, which no entry has. */
const ABOUT = new Set([
  ...'Type ReportingPeriodDate PeriodStartDate PeriodEndDate ApiSet HttpMethod Url HttpResponseCodeGroup'.split(' '),
  ...['Period', 'grain', 'starts_at', ...BUCKET, 'Dataset'],
  ...Object.values(ABOUT_DATASETS).flat(),
  'IsAttended',
])
const UNKNOWN_TO_THE_LOG = ['LfiId', 'LfiName']
const DATED = 'Period PeriodStartDate PeriodEndDate ReportingPeriodDate'.split(' ')

const written = (value: unknown): string => (value === null || value === undefined ? '' : String(value))
const about = (row: Row): string => [...ABOUT].flatMap((name) => (name in row ? [written(row[name])] : [])).join(' | ')

/** The first and the last day that the rows name. */
function daysIn(rows: Rows): Days {
  const named = rows.flatMap((row) => DATED.flatMap((name) => written(row[name]).split('/')))
  const begun = rows.flatMap((row) => ('starts_at' in row ? [dateOf(startOf(row))] : []))
  const days = [...named, ...begun].filter((day) => day !== '').sort()
  return [days[0] ?? '', days.at(-1) ?? '']
}
const startOf = (row: Row): number =>
  'starts_at' in row ? Date.parse(String(row['starts_at'])) : periodOf([daysIn([row])[0], '9999-12-31']).from

/** The first column of a filed row that is not what it should be. */
function columnOf(row: Json, right: Json, form: (value: unknown) => string, unknown: readonly string[]): string | null {
  for (const name of new Set([...Object.keys(right), ...Object.keys(row)])) {
    if (unknown.includes(name) || form(row[name]) === form(right[name])) continue
    return `${name} is filed as ${written(row[name])}, the log has ${written(right[name])}`
  }
  return null
}

/** What is filed of a day says all of it. */
const askEnded = (to: number, until: number): void =>
  ask(to <= until, `the log ends at ${timeOf(until)}, before the days that were reported on`)

/** The first figure of a filed report that is not what the entries say. */
function compare({ file, text }: Filed, recount: Recount, until: number, { tpp, period }: VerifyOptions) {
  const rows = parseFiled(file, text)
  const [one] = rows
  ask(one !== undefined, `${file} has no rows`)
  const kind = ['Dataset', 'grain', 'Period', 'Type'].find((name) => name in one)
  ask(kind !== undefined, 'it is no report that can be recomputed')
  ask(kind !== 'Type' || tpp !== undefined, 'whose report it is has to be said: --tpp <organisation>')
  const [first = '', last = first] = period?.split('/') ?? daysIn(rows)
  askEnded(periodOf([first, last]).to, until)
  const expected = new Map(recomputed(rows, recount, [first, last], tpp ?? '').map((row) => [about(row), row]))
  const missing = new Map(expected)
  const differenceOf = (row: Row): string | null => {
    const name = about(row)
    const right = expected.get(name)
    if (right === undefined) return `${name}: the log has nothing of this`
    if (!missing.delete(name)) return `${name}: it is there twice`
    const column = columnOf(row, right, written, UNKNOWN_TO_THE_LOG)
    return column === null ? null : `${name}: ${column}`
  }
  let difference: string | null = null
  for (const row of rows) difference ??= differenceOf(row)
  const isDestroyed = (row: Row): boolean => startOf(row) < recount.destroyedBefore()
  // Rows of days whose figures were destroyed by policy, and which are not in the file: the log records that.
  const destroyed = [...missing.values()].filter(isDestroyed).length
  for (const [name, row] of missing) if (!isDestroyed(row)) difference ??= `${name}: it is missing`
  // The days that the file was held to: those given, or else those that it names itself.
  return { file, rows: rows.length, period: `${first}/${last}`, destroyed, difference }
}

/** A list of rows in JSON, the answer of `/tpp-reports`, or a table in CSV. */
function parseFiled(file: string, text: string): Row[] {
  if (!/^\s*[[{]/.test(text)) return parseTable(text)
  const value = parseAny(text)
  const rows = Array.isArray(value) ? value : (value as { readonly Data?: unknown } | null)?.Data
  const areRows = Array.isArray(rows) && rows.every((row) => typeof row === 'object' && row !== null)
  ask(areRows, `${file} is neither a list of rows in JSON nor a table in CSV`)
  return rows as Row[]
}

/** What the file should hold: of its reports and of these days, every row. */
function recomputed(rows: Rows, recount: Recount, days: Days, tpp: string): Rows {
  const [row = {}] = rows
  const span = periodOf(days)
  if ('Dataset' in row) return recount.dataset(String(row['Dataset']), days)
  if ('grain' in row) return recount.calls(String(row['grain'])).filter((each) => isWithin(each, span))
  if ('Period' in row) {
    // A row for each day, and where there is one of all of them, that.
    const spans = rows.map((each) => String(each['Period'])).filter((each) => each.includes('/'))
    for (let day = span.from; day < span.to; day += DAY) spans.push(dateOf(day))
    return spans.map((Period) => {
      const [begin = '', end = begin] = Period.split('/')
      return { Period, ...recount.availability('lfi', periodOf([begin, end]), null) }
    })
  }
  const types = new Set(rows.map((each) => String(each['Type'])))
  const others = rows.filter((each) => String(each['Type']).endsWith('Availability'))
  const right = tppRows(recount, recount.calls('day'), tpp, days, others)
  return right.filter((each) => types.has(String(each['Type'])))
}

// ── The raw log beside the log ───────────────────────────────────────────────────────────────────────────────────────

/** The row of one call. Who the LFI is in the trust framework is in no entry. */
function rawRow(entry: Json, at: number, index: number, lfiId: unknown): Json {
  const of = (name: string): unknown => entry[name] ?? null
  const { status, group, lfiStatus, lfiGroup, totalUs, hubInUs, lfiUs, hubOutUs } = callOf(entry)
  // biome-ignore format: columns that belong together stand together
  return {
    Timestamp: timeOf(at), LfiId: lfiId,
    TppId: of('organisationId'), TppClientId: of('clientId') ?? of('callerClientId'),
    TppSoftwareStatementId: of('softwareStatementId'),
    ApiSet: of('apiSet'), HttpMethod: of('method') ?? '', UrlTemplate: of('route'),
    TppResponseCodeGroup: group, ExecutionTime: Math.round(totalUs / 1000),
    InteractionId: of('interactionId'), ResourceName: of('resource'),
    LfiResponseCodeGroup: lfiGroup,
    IsAttended: entry['attended'] === true, Records: of('records'),
    PaymentType: of('paymentType'), MerchantId: of('merchantId'),
    Door: of('surface') ?? '', Status: status, ErrorCode: of('errorCode'), Rule: of('rule'),
    LfiStatus: lfiUs === null ? null : lfiStatus, LfiOutcome: lfiUs === null ? null : of('lfiOutcome'),
    HubInMicroseconds: hubInUs, LfiMicroseconds: lfiUs, HubOutMicroseconds: hubOutUs,
    LogSequence: index,
  }
}

/** Its first line names this column: the header of a table, or the first of the rows. */
const isRawLog = (file: string): boolean => String(openLines(file)()).includes('LogSequence')

/** Takes the entries as they come, and holds line after line of the file against the calls among them. */
function openRawLog(file: string, period: string | undefined) {
  ask(period !== undefined, 'of which days a raw log is has to be said: --period')
  const [first = '', last = first] = period.split('/')
  const span = periodOf([first, last])
  const lines = openLines(file)
  const next = (): string | null => lines()?.toString('utf8') ?? null
  let line = next()
  const header = line?.startsWith('{') ? null : line
  if (header !== null) line = next()
  const rowOf = (text: string | null): Json | null =>
    header === null || text === null ? parseJson(text) : (parseTable(`${header}\n${text}\n`)[0] ?? null)
  const lfiId = rowOf(line)?.['LfiId']
  let rows = 0
  let difference: string | null = null

  const differenceOf = (right: Json, index: number): string | null => {
    const row = rowOf(line)
    const here = written(row?.['LogSequence'])
    if (line === null) return `entry ${index} is missing: the file ends before it`
    if (row === null || here === '') return `row ${rows} cannot be read, where entry ${index} belongs`
    if (here !== String(index)) return `row ${rows}: entry ${here} stands where entry ${index} belongs`
    const column = columnOf(row, right, header === null ? JSON.stringify : written, [])
    return column === null ? null : `row ${rows}, entry ${index}: ${column}`
  }
  return {
    add: (entry: Json, at: number, index: number): void => {
      const isCall = entry['kind'] === 'tpp-call' || entry['kind'] === 'lfi-request'
      if (!isCall || at < span.from || at >= span.to || difference !== null) return
      const right = rawRow(entry, at, index, lfiId)
      const text = header === null ? JSON.stringify(right) : `${Object.values(right).map(cell).join(',')}\r`
      // A text in a table may hold line feeds.
      for (let more = text.split('\n').length; more > 1; more -= 1) line = `${line}\n${next()}`
      rows += 1
      // What is written otherwise may still be the same.
      if (line !== text) difference = differenceOf(right, index)
      line = next()
    },
    end: (until: number): Comparison => {
      askEnded(span.to, until)
      if (line !== null) difference ??= `row ${rows + 1}: the log has no further call of these days`
      return { file, rows, period, destroyed: 0, difference }
    },
  }
}

// ── Words, and the command line ──────────────────────────────────────────────────────────────────────────────────────

const refusal = (what: string, { where, index, reason }: FirstBad): string =>
  `NOT VERIFIED: ${what}\nfirst fault: ${index === null ? '' : `entry ${index}: `}${where}: ${reason}`

const few = (list: readonly unknown[]): string =>
  list.length <= 10 ? list.join(', ') : `${list.slice(0, 10).join(', ')} and ${list.length - 10} more`

export function describeVerdict(verdict: Verdict): string {
  const whose = `audit log ${verdict.origin ?? 'of an unknown origin'}`
  if (verdict.firstBad) return refusal(whose, verdict.firstBad)
  const { hours, clock, commitments, redactions, consistentWith, comparisons, reports } = verdict
  const { missed } = hours
  const gaps = missed.length === 0 ? 'none missed' : `${missed.length} in which nothing was sealed, from ${missed[0]}`
  const records = redactions.length === 0 ? '' : ` (recorded by entry ${few(redactions.map(({ index }) => index))})`
  return [
    `VERIFIED: ${whose}, tenant ${verdict.tenantId}`,
    `entries: ${verdict.size}, of which ${verdict.entriesRead} were read; root ${verdict.root}`,
    `signed by ${verdict.isKeyGiven ? 'the given key' : 'the key that the export itself names'}: ${verdict.publicKey}`,
    `witnesses: ${witnessWords(verdict)}`,
    `hours: ${hours.count}, ${hours.first} to ${hours.last}; ${gaps}`,
    `clock: set by ${clock.sources.join(', ')}; largest step ${clock.largestStepMs} ms, ` +
      `largest offset to the database ${clock.largestDatabaseOffsetMs} ms`,
    `commitments: ${commitments.total}, ${commitments.opened} opened and right, ${commitments.erased} erased${records}`,
    ...(consistentWith.length === 0 ? [] : [`only added to since: ${consistentWith.join(', ')} entries`]),
    ...comparisons.map(comparisonWords),
    ...(reports === undefined ? [] : reportLines(reports)),
  ].join('\n')
}

function witnessWords({ origin, signatures, quorum, witnesses, absent }: Verdict): string {
  const others = signatures.filter((each) => !each.startsWith(`${origin}+`))
  if (quorum === null) return `no policy was given; lines that were not judged: ${few(others) || 'none'}`
  const present = witnesses.map(({ name, key, at }) => `${name} at ${at} (${key})`)
  const said = [...present, ...absent.map(({ name, key }) => `not ${name} (${key})`)]
  return `quorum ${quorum} met: ${said.join(', ') || 'none needed'}`
}

function comparisonWords({ file, rows, period, destroyed, difference }: Comparison): string {
  if (difference !== null) return `NOT CONFIRMED: report ${file}\nfirst difference: ${difference}`
  const gone = destroyed === 0 ? '' : `; ${destroyed} others are not in it, destroyed by policy as the log records`
  return `report ${file}, ${period.replace('/', ' to ')}: all ${rows} rows follow from the log${gone}`
}

function reportLines({ until, lfi, daily, tpps, datasets }: Reports): string[] {
  const tables: [title: string, rows: Rows][] = [
    [`LFI by day, up to ${until}`, lfi],
    ['Calls by day', daily],
  ]
  for (const [tpp, all] of Object.entries(tpps))
    for (const [type, rows] of Map.groupBy(all, (row) => row['Type'])) tables.push([`${type}, TPP ${tpp}`, rows])
  for (const [name, rows] of Object.entries(datasets)) tables.push([`Dataset ${name}`, rows])
  return tables.flatMap(([title, rows]) => {
    const lines = rows.map((row) => Object.values(row).map(cell).join(','))
    return rows[0] === undefined ? [] : ['', title, Object.keys(rows[0]).join(','), ...lines]
  })
}

function describeReceipt({ origin, index, size, entry, opened, firstBad }: ReceiptVerdict): string {
  if (firstBad) return refusal(`receipt of ${origin ?? 'an unknown log'}`, firstBad)
  const values = Object.entries(opened).map(([field, value]) => `  ${field} = ${value}`)
  return [`VERIFIED: entry ${index} of ${size} in ${origin}`, JSON.stringify(entry), ...values].join('\n')
}

const [one, many, flag] = [{ type: 'string' }, { type: 'string', multiple: true }, { type: 'boolean' }] as const
const TEXTS = { key: one, policy: one, checkpoint: many, compare: many, period: one, tpp: one }
const OPTIONS = { ...TEXTS, reports: flag, json: flag }
const USAGE =
  'usage: falaj-verify [receipt] <path> [--key <key>] [--policy <file>] [--checkpoint <file>]… [--reports] ' +
  '[--compare <report>]… [--period <first>/<last>] [--tpp <organisation>] [--json]'

/** @returns exit status */
export function main(args: readonly string[], print: (text: string) => void): 0 | 1 | 2 {
  const isJson = args.includes('--json')
  try {
    const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options: OPTIONS })
    const isReceipt = positionals[0] === 'receipt'
    const [path, ...more] = positionals.slice(isReceipt ? 1 : 0)
    ask(path !== undefined && more.length === 0, USAGE)
    const text = (file: string): string => readFileSync(file, 'utf8')
    const filed = values.compare ?? []
    const options: VerifyOptions = {
      ...values,
      policy: values.policy === undefined ? undefined : text(values.policy),
      checkpoints: (values.checkpoint ?? []).map(text),
      compare: filed.filter((file) => !isRawLog(file)).map((file) => ({ file, text: text(file) })),
      rawLogs: filed.filter(isRawLog),
    }
    if (isReceipt) {
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
type Policy = NonNullable<ReturnType<typeof parsePolicy>>

function parsePolicy(text: string | undefined) {
  if (text === undefined) return null
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
    const isUnderstood = word.startsWith('#') || understand(word, args, args.length)
    ask(isUnderstood, `the policy has a line that is not understood: ${line}`)
  }
  const isMet = rules.get(quorum ?? '')
  ask(quorum !== null && isMet !== undefined, 'the policy has no quorum')
  return { logs, witnesses, quorum: String(quorum), isMet }
}

// ── Hashes: RFC 6962 2.1 ─────────────────────────────────────────────────────────────────────────────────────────────

const WIDTH = 256
type Hashes = readonly Buffer[]
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
export function rootOf(hashes: Hashes): Buffer {
  if (hashes.length === 1) return hashes[0] as Buffer
  let left = 1
  while (left * 2 < hashes.length) left *= 2
  return nodeHash(rootOf(hashes.slice(0, left)), rootOf(hashes.slice(left)))
}

/** The root of a tree whose incomplete tiles, from the lowest level up, are these. */
function rootOfEdge(edge: readonly Hashes[]): Buffer {
  let right: Hashes = []
  for (const hashes of edge) if (hashes.length + right.length > 0) right = [rootOf([...hashes, ...right])]
  return right[0] ?? hash('sha256', '', 'buffer')
}

/** RFC 9162 2.1.3.2: up from the leaf; null when the path is too short or too long. */
export function rootFromPath(index: number, size: number, leaf: Buffer, path: Hashes): Buffer | null {
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

function parseHash(text: string | undefined): Buffer | null {
  const value = Buffer.from(text ?? '', 'base64')
  return value.length === 32 && value.toString('base64') === text ? value : null
}

// ── Commitments: format.md 3 ─────────────────────────────────────────────────────────────────────────────────────────

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

/** @returns the field that is opened */
function checkOpening({ field, salt, value }: Json, commitments: ReadonlyMap<string, string>, index: number): string {
  // 16 octets in base64 have one way to be written.
  const isSalt = typeof salt === 'string' && /^[A-Za-z0-9+/]{21}[AQgw]==$/.test(salt)
  // No entry is longer than 65,535 bytes, and no value than an entry.
  const isOpening = typeof field === 'string' && isSalt && typeof value === 'string' && value.length < 1 << 15
  const isRight = isOpening && commitmentOf(field, salt, value) === commitments.get(field)
  need(isRight, 'opening', index, `value and salt of ${String(field)} do not open the commitment in the entry`)
  return field
}

function commitmentOf(field: string, salt: string, value: string): string {
  let length = scratch.write(`falaj-commitment/v1\n${field}\n`)
  length += scratch.write(salt, length, 'base64')
  length += scratch.write(value, length)
  return hash('sha256', scratch.subarray(0, length), 'base64')
}

// ── Files of an export: format.md 6 ──────────────────────────────────────────────────────────────────────────────────

/** C2SP tlog-tiles: thousands by thousands. */
export function nameOf(folder: string, n: number, width: number): string {
  let name = String(n % 1000).padStart(3, '0')
  for (let rest = Math.floor(n / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    name = `x${String(rest % 1000).padStart(3, '0')}/${name}`
  }
  return `tile/${folder}/${name}${width === WIDTH ? '' : `.p/${width}`}`
}

/** `open` fails where there is no such file. */
function openOrFault<T>(dir: string, name: string, index: number | null, open: (path: string) => T): T {
  try {
    return open(join(dir, name))
  } catch {
    throw faultOf(name, index, 'the file is missing')
  }
}
const read = (dir: string, name: string, index: number | null): Buffer =>
  openOrFault(dir, name, index, (path) => readFileSync(path))

type Lines = () => Buffer | null
/** Line by line in constant memory, without the line feed; null at the end. */
function openLines(path: string): Lines {
  const lines = linesOf(openSync(path, 'r'))
  return () => lines.next().value ?? null
}
function* linesOf(file: number): Generator<Buffer, undefined> {
  const chunk = Buffer.alloc(1 << 20)
  let rest = Buffer.alloc(0)
  for (let length = readSync(file, chunk); length > 0; length = readSync(file, chunk)) {
    const known = Buffer.concat([rest, chunk.subarray(0, length)])
    let at = 0
    for (let end = known.indexOf(0x0a); end >= 0; end = known.indexOf(0x0a, at)) {
      yield known.subarray(at, end)
      at = end + 1
    }
    rest = known.subarray(at)
  }
  closeSync(file)
  if (rest.length > 0) yield rest
}
const openList = (dir: string, name: string): Lines => openOrFault(dir, name, null, openLines)

function parseAny(text: Buffer | string | null): unknown {
  try {
    return JSON.parse(String(text))
  } catch {
    return null
  }
}
type Json = Readonly<Record<string, unknown>>
function parseJson(text: Buffer | string | null): Json | null {
  const value = parseAny(text)
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null
}

/** What needs neither quotes nor an apostrophe: nearly everything, and there are a million times sixty of them. */
const PLAIN = /^[^=+\-@\t\r\n",][^\r\n",]*$/
/** One cell of a table, RFC 4180. A text that a spreadsheet would take for a formula gets an apostrophe. */
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

/** A table back to rows by the names of its columns. */
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

if (import.meta.main) process.exitCode = main(process.argv.slice(2), console.log)
