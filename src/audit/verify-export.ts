/**
 * The offline verifier. It needs Node.js and the three files beside it (entry, chain, checkpoint) and no package, no
 * network and no database:
 *
 *     node src/audit/verify-export.ts <export file> [<public key>]
 *
 * An export is text, one line each, ended by a line feed:
 *
 *     falaj-audit-export/v1 <size> <public key>
 *     <seq> <hash> <entry>            size times, hash in base64, entry as the JSON bytes that were hashed
 *                                     an empty line
 *     <checkpoint>                    signed-note, to the end of the file
 *
 * Every byte is covered. The entries lead to the head in the checkpoint, the checkpoint carries one signature by the
 * key in the header, and size and key in the header must agree with it. Without a public key from elsewhere the verdict
 * says only that the file agrees with itself.
 */
import { createReadStream } from 'node:fs'
import { stderr } from 'node:process'
import { check, genesis, hashText, type Position, parseHash } from './chain.ts'
import { CHECKPOINT_BYTES_MAX, openCheckpoint, type PublicKey, parsePublicKey } from './checkpoint.ts'
import { ENTRY_BYTES_MAX } from './entry.ts'

export type FirstBad = { readonly seq: number | 'header' | 'checkpoint'; readonly reason: string }

export type Verdict = {
  readonly ok: boolean
  readonly tenantId: string | null
  /** How many entries were found good, from the first on without a gap. */
  readonly size: number
  /** Head of those, in base64. */
  readonly head: string
  readonly signedAt: string | null
  readonly publicKey: string | null
  /** False: the key was taken from the export itself, so whoever made the export also chose the key. */
  readonly isKeyGiven: boolean
  readonly firstBad?: FirstBad
}

export const EXPORT_MAGIC = 'falaj-audit-export/v1'

const HEADER = /^falaj-audit-export\/v1 (0|[1-9][0-9]{0,14}) (\S+)\n$/
const SEQ = /^[1-9][0-9]{0,14}$/
const HASH_CHARS = 44
const LINE_BYTES_MAX = ENTRY_BYTES_MAX + 128
const LF = 0x0a
const EMPTY_LINE = Buffer.from([LF])
const SPACE = 0x20

type Header = { readonly size: number; readonly publicKey: PublicKey }
/** What is known so far; `bad` ends the walk. */
type State = { header: Header | null; position: Position; bad: FirstBad | null }

export type VerifyOptions = { readonly publicKey?: string }

export const verifyExport = (path: string, options: VerifyOptions = {}): Promise<Verdict> =>
  verifyChunks(createReadStream(path), options)

/** In constant memory: a line, and the hash before it. */
export async function verifyChunks(chunks: AsyncIterable<Buffer>, options: VerifyOptions): Promise<Verdict> {
  const lines = splitLines(chunks)
  const state: State = { header: null, position: genesis(''), bad: null }
  const first = await lines.next()
  const header = readHeader(first.done ? null : first.value, options.publicKey)
  if (typeof header === 'string') return verdict({ ...state, bad: { seq: 'header', reason: header } }, options, null)
  state.header = header
  state.position = genesis(header.publicKey.tenantId)
  const note = await walkEntries(lines, header, state)
  await lines.return(undefined)
  if (state.bad !== null || note === null) return verdict(state, options, null)
  const signedAt = judgeCheckpoint(note, header, state)
  return verdict(state, options, signedAt)
}

function verdict(state: State, options: VerifyOptions, signedAt: string | null): Verdict {
  return {
    ok: state.bad === null,
    tenantId: state.header?.publicKey.tenantId ?? null,
    size: state.position.size,
    head: hashText(state.position.head),
    signedAt,
    publicKey: state.header?.publicKey.text ?? null,
    isKeyGiven: options.publicKey !== undefined,
    ...(state.bad && { firstBad: state.bad }),
  }
}

function readHeader(line: Buffer | null, expectedKey: string | undefined): Header | string {
  const found = HEADER.exec(line?.toString('latin1') ?? '')
  if (!found) return 'it does not have the documented form'
  const publicKey = parsePublicKey(found[2] ?? '')
  if (publicKey === null) return 'its public key contradicts itself'
  if (expectedKey !== undefined && expectedKey !== publicKey.text) return 'its public key is not the expected one'
  return { size: Number(found[1]), publicKey }
}

/** Walks the entries up to the empty line; what follows it is the checkpoint, which is returned. */
async function walkEntries(lines: AsyncGenerator<Buffer>, header: Header, state: State): Promise<Buffer | null> {
  for (let found = await lines.next(); !found.done; found = await lines.next()) {
    const line = found.value
    if (line.equals(EMPTY_LINE)) return readRest(lines)
    const entry = readEntry(line)
    const next = typeof entry === 'string' ? entry : check(header.publicKey.tenantId, state.position, entry)
    if (typeof next !== 'string') {
      state.position = next
      continue
    }
    // After the last entry a line that is none is a damaged beginning of the checkpoint.
    const isPastEnd = state.position.size === header.size && typeof entry === 'string'
    state.bad = isPastEnd
      ? { seq: 'checkpoint', reason: 'the empty line before the checkpoint is missing' }
      : { seq: state.position.size + 1, reason: next }
    return null
  }
  state.bad = missing(header, state.position, 'the file ends before the checkpoint')
  return null
}

function readEntry(line: Buffer): { seq: number; hash: Buffer; bytes: Buffer } | string {
  const afterSeq = line.indexOf(SPACE)
  const afterHash = afterSeq + 1 + HASH_CHARS
  const seq = line.toString('latin1', 0, Math.max(0, afterSeq))
  const hash = parseHash(line.toString('latin1', afterSeq + 1, afterHash))
  if (!SEQ.test(seq) || hash === null || line[afterHash] !== SPACE || line.at(-1) !== LF)
    return 'the line does not have the documented form'
  return { seq: Number(seq), hash, bytes: line.subarray(afterHash + 1, -1) }
}

async function readRest(lines: AsyncGenerator<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = []
  let length = 0
  for (let line = await lines.next(); !line.done && length <= CHECKPOINT_BYTES_MAX; line = await lines.next()) {
    parts.push(line.value)
    length += line.value.length
  }
  return Buffer.concat(parts)
}

function judgeCheckpoint(note: Buffer, header: Header, state: State): string | null {
  const opened = openCheckpoint(note, header.publicKey)
  if (!opened.ok || opened.foreignSignatures > 0) {
    const reason = opened.ok ? 'it carries a signature that this verifier cannot check' : opened.reason
    state.bad = missing(header, state.position, reason)
    return null
  }
  const { size, head, signedAt } = opened.checkpoint
  if (size > state.position.size) state.bad = missing({ size }, state.position, '')
  else if (size < state.position.size)
    state.bad = { seq: size + 1, reason: `it is not covered by the checkpoint, which is for ${size} entries` }
  else if (!head.equals(state.position.head))
    state.bad = { seq: 'checkpoint', reason: 'it is signed for another head than the one these entries lead to' }
  else if (size !== header.size)
    state.bad = { seq: 'header', reason: `it announces ${header.size} entries, not ${size}` }
  return signedAt
}

/** Too few entries is the earlier fault; the checkpoint is blamed when all are there. */
const missing = (expected: { readonly size: number }, at: Position, otherwise: string): FirstBad =>
  at.size < expected.size
    ? { seq: at.size + 1, reason: `it is missing: ${expected.size} entries were to follow` }
    : { seq: 'checkpoint', reason: otherwise }

/** Lines as bytes, with their line feed. What follows the last line feed, and a line too long, is a line without. */
async function* splitLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of chunks) {
    const data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let from = 0
    for (let end = data.indexOf(LF); end >= 0; end = data.indexOf(LF, from)) {
      yield data.subarray(from, end + 1)
      from = end + 1
    }
    rest = data.subarray(from)
    if (rest.length > LINE_BYTES_MAX) break
  }
  if (rest.length > 0) yield rest
}

/** The verdict in words. */
export function describeVerdict(verdict: Verdict): string {
  const whose = `audit log of ${verdict.tenantId ?? 'an unknown tenant'}`
  if (verdict.firstBad) {
    const { seq, reason } = verdict.firstBad
    const where = typeof seq === 'number' ? `entry ${seq}` : seq
    return `NOT VERIFIED: ${whose}\nfirst fault: ${where}: ${reason}\ngood before it: ${verdict.size} entries`
  }
  const key = verdict.isKeyGiven ? 'the given key' : `the key that the log itself names, ${verdict.publicKey}`
  return `VERIFIED: ${whose}\nentries: ${verdict.size}\nhead: ${verdict.head}\nsigned at ${verdict.signedAt} by ${key}`
}

if (import.meta.main) {
  const [path, publicKey] = process.argv.slice(2)
  if (path === undefined) {
    stderr.write('usage: verify-export <export file> [<public key>]\n')
    process.exitCode = 2
  } else {
    const result = await verifyExport(path, publicKey === undefined ? {} : { publicKey })
    console.log(describeVerdict(result))
    process.exitCode = result.ok ? 0 : 1
  }
}
