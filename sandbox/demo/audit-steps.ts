/** The audit log, taken out and checked by somebody who has only the file and the public key. */
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
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

export async function auditSteps(recorder: Recorder, { tenant, lfi, interactionId }: AuditAsk): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'falaj-demo-'))
  const file = join(folder, 'audit.export')
  try {
    await recorder.step('Audit log exported', `falaj audit export --tenant ${tenant}`, async () => {
      await falaj(['audit', 'export', '--config', lfi.hubConfigFile, '--tenant', tenant, '--out', file])
      const content = await readFile(file, 'utf8')
      if (!content.includes(interactionId)) throw new Error('the export does not hold a call made a moment ago')
      return { value: null, saw: `${Math.ceil(content.length / 1024)} KiB; the first read of this demo is in it` }
    })
    await recorder.check(
      'Export verified offline',
      `falaj audit verify --key ${lfi.auditPublicKey.slice(0, 24)}…`,
      async () => {
        const said = await falaj(['audit', 'verify', file, '--key', lfi.auditPublicKey])
        return { value: null, saw: lastLine(said) }
      },
    )
    await recorder.check(
      'One changed byte is found',
      'falaj audit verify on a copy with one letter changed',
      async () => {
        const copy = join(folder, 'changed.export')
        const content = await readFile(file, 'utf8')
        await writeFile(copy, content.replace(interactionId, otherLastDigit(interactionId)))
        const said = await falaj(['audit', 'verify', copy, '--key', lfi.auditPublicKey]).then(
          () => null,
          (error: unknown) => (error instanceof Error ? error.message : 'refused'),
        )
        if (said === null) throw new Error('the changed copy was taken for the original')
        return { value: null, saw: said }
      },
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const otherLastDigit = (id: string): string => `${id.slice(0, -1)}${id.endsWith('0') ? '1' : '0'}`
const lastLine = (text: string): string => text.trim().split('\n').at(-1)?.trim() ?? ''

/** Standard output of the command; a failure carries its last line of standard error. */
async function falaj(args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'], timeout: COMMAND_MS })
  const texts = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    texts.out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    texts.err += text
  })
  const code = await new Promise<number | null>((done, failed) => {
    child.once('error', failed)
    child.once('close', done)
  })
  if (code !== 0) throw new Error(lastLine(texts.err) || lastLine(texts.out) || `falaj ended with ${code}`)
  return texts.out
}
