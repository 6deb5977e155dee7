/** The audit log, taken out and checked by somebody who has only the folder and the public key. */
import { spawn } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { ManifestLfi } from '../manifest.ts'
import type { Recorder } from './recorder.ts'

const MAIN = resolve(import.meta.dirname, '../../src/main.ts')
const COMMAND_MS = 60_000

export type AuditAsk = {
  readonly tenant: string
  readonly lfi: Pick<ManifestLfi, 'hubConfigFile' | 'auditPublicKey'>
  /** A call of this demo that the log must hold. */
  readonly interactionId: string
}

/** Every entry, a line each, as it is in the tree. */
const LIST = 'entries.ndjson'

/** Exit statuses of `falaj audit verify`. */
const VERIFIED = 0
const NOT_VERIFIED = 1

export async function auditSteps(recorder: Recorder, { tenant, lfi, interactionId }: AuditAsk): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'falaj-demo-'))
  const out = join(folder, 'audit')
  const verify = (which: string): Promise<Ended> => falaj(['audit', 'verify', which, '--key', lfi.auditPublicKey])
  try {
    await recorder.step('Audit log exported', `falaj audit export --tenant ${tenant}`, async () => {
      const ended = await falaj(['audit', 'export', '--config', lfi.hubConfigFile, '--tenant', tenant, '--out', out])
      if (ended.status !== 0) throw new Error(inOneLine(ended.text))
      const content = await readFile(join(out, LIST), 'utf8')
      if (!content.includes(interactionId)) throw new Error('the export does not hold a call made a moment ago')
      return { value: null, saw: `${content.split('\n').length - 1} entries; the first read of this demo is in them` }
    })
    await recorder.check(
      'Export verified offline',
      'falaj audit verify, with the folder and the public key only',
      async () => {
        const ended = await verify(out)
        if (ended.status !== VERIFIED) throw new Error(inOneLine(ended.text))
        return { value: null, saw: inOneLine(ended.text) }
      },
    )
    await recorder.check(
      'One changed letter is found',
      'falaj audit verify on a copy with one letter changed',
      async () => {
        const copy = join(folder, 'changed')
        await cp(out, copy, { recursive: true })
        const list = await readFile(join(copy, LIST), 'utf8')
        await writeFile(join(copy, LIST), list.replace(interactionId, otherLastDigit(interactionId)))
        const ended = await verify(copy)
        if (ended.status !== NOT_VERIFIED) throw new Error(`not found out: ${inOneLine(ended.text)}`)
        return { value: null, saw: inOneLine(ended.text) }
      },
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const otherLastDigit = (id: string): string => `${id.slice(0, -1)}${id.endsWith('0') ? '1' : '0'}`

const inOneLine = (text: string): string =>
  text
    .trim()
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .slice(0, 4)
    .join('; ')

type Ended = { readonly status: number | null; readonly text: string }
async function falaj(args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'], timeout: COMMAND_MS })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (part: string) => {
      text += part
    })
  }
  const status = await new Promise<number | null>((done, failed) => {
    child.once('error', failed)
    child.once('close', done)
  })
  return { status, text }
}
