/**
 * Walks a guide as its reader would: what stands in a fenced block is typed, in order, in one folder. The words after
 * the fence say what a block is:
 *
 *   sh                     typed into a terminal that stays open from block to block; it must end with status 0
 *   <language> <file>      saved as this file
 *   output                 what the block before has printed; … stands for what varies, alone on a line for any lines
 *   <anything> not-run: …  for reading only, with the reason
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'

export type Block = {
  /** Of the fence, from 1. */
  readonly line: number
  readonly language: string
  /** The rest of the info string. */
  readonly words: string
  readonly content: string
}

const FENCE = /^( *)```(\S*) *(.*)$/

export function blocksOf(markdown: string): readonly Block[] {
  const blocks: Block[] = []
  let open: { at: number; indent: number; language: string; words: string; lines: string[] } | null = null
  for (const [at, line] of markdown.split('\n').entries()) {
    const [fence, spaces = '', language = '', words = ''] = FENCE.exec(line) ?? []
    if (open === null) {
      if (fence !== undefined) open = { at, indent: spaces.length, language, words: words.trim(), lines: [] }
    } else if (fence === undefined || language !== '') open.lines.push(line.slice(open.indent))
    else {
      const { language, words, lines } = open
      blocks.push({ line: open.at + 1, language, words, content: `${lines.join('\n')}\n` })
      open = null
    }
  }
  if (open !== null) throw new Error(`the block of line ${open.at + 1} is never closed`)
  return blocks
}

const NOT_RUN = /^not-run: (.+)$/
export const isForReading = ({ words }: Block): boolean => NOT_RUN.test(words)

export type Terminal = {
  /** What it printed; throws with what it complained of when the status is not 0. */
  type(commands: string): Promise<string>
  save(file: string, content: string): void
}

/** `folder` is where the reader is; `state` is a folder beside it, for what the terminal remembers. */
export function openTerminal(folder: string, state: string, environment: NodeJS.ProcessEnv): Terminal {
  const remembered = join(state, 'environment')
  return {
    type: async (commands) => {
      const before = existsSync(remembered) ? readFileSync(remembered, 'utf8') : ''
      const script = `${before}\nset -euo pipefail\n${commands}\nwait\n{ declare -px; declare -f; } > '${remembered}'\n`
      const shell = spawn('bash', ['-c', script], { cwd: folder, env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
      const ended = new Promise<number | null>((resolve, reject) => {
        shell.once('error', reject)
        shell.once('close', resolve)
      })
      const [status, out, complaint] = await Promise.all([ended, text(shell.stdout), text(shell.stderr)])
      if (status !== 0) throw new Error(`status ${status}\n${out}${complaint}`)
      return out
    },
    save: (file, content) => {
      mkdirSync(dirname(join(folder, file)), { recursive: true })
      writeFileSync(join(folder, file), content)
    },
  }
}

/** Throws at the first block that does not hold, with its line. */
export async function walk(markdown: string, terminal: Terminal): Promise<void> {
  let printed: string | null = null
  for (const block of blocksOf(markdown)) {
    if (isForReading(block)) continue
    try {
      printed = await take(block, terminal, printed)
    } catch (thrown) {
      throw new Error(`line ${block.line}: ${(thrown as Error).message}`)
    }
  }
}

async function take(block: Block, terminal: Terminal, printed: string | null): Promise<string | null> {
  const { language, words, content } = block
  if (language === 'output') {
    if (printed === null) throw new Error('nothing was typed before this output')
    if (!asPattern(content).test(printed.trim())) throw new Error(`it printed something else:\n${printed}`)
    return null
  }
  if (language === 'sh' && words === '') return terminal.type(content)
  if (/^[\w.][\w./-]*$/.test(words) && !words.includes('..')) {
    terminal.save(words, content)
    return null
  }
  throw new Error('this block says neither that it is typed, nor where it is saved, nor why it is for reading only')
}

function asPattern(content: string): RegExp {
  const lines = content
    .trim()
    .split('\n')
    .map((line) => line.split('…').map(escaped))
  const pattern = lines.map((parts) => (parts.join('') === '' && parts.length === 2 ? '[^]*?' : parts.join('.*?')))
  return new RegExp(`^${pattern.join('\\n')}$`)
}

const escaped = (part: string): string => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
