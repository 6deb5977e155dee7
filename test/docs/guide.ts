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
import { randomUUID } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

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
  close(): void
}

/** `folder` is where the reader is; `state` is a folder beside it, for what is typed. */
export function openTerminal(folder: string, state: string, environment: NodeJS.ProcessEnv): Terminal {
  const shell = spawn('bash', ['--norc', '-s'], { cwd: folder, env: environment, stdio: 'pipe' })
  const ended = new Promise<number | null>((resolve, reject) => {
    shell.once('error', reject)
    shell.once('close', resolve)
  })
  let [printed, complaint] = ['', '']
  let whenDone = (): void => {}
  const mark = `\n${randomUUID()}\n`
  shell.stderr.setEncoding('utf8').on('data', (part: string) => {
    complaint += part
  })
  shell.stdout.setEncoding('utf8').on('data', (part: string) => {
    printed += part
    if (printed.endsWith(mark)) whenDone()
  })
  // Writing to a shell that has given up: `ended` tells of it.
  shell.stdin.on('error', () => {})
  const file = join(state, 'typed.sh')
  return {
    type: async (commands) => {
      writeFileSync(file, commands)
      printed = ''
      complaint = ''
      const done = new Promise<'done'>((resolve) => {
        whenDone = () => resolve('done')
      })
      // Not from the shell's own input: what a program of the guide reads would be the commands that follow.
      shell.stdin.write(`set -euo pipefail; . '${file}' < /dev/null; wait; set +eu; printf '%s' '${mark}'\n`)
      const status = await Promise.race([done, ended])
      if (status !== 'done') throw new Error(`status ${status}\n${printed}${complaint}`)
      return printed.slice(0, -mark.length)
    },
    save: (file, content) => {
      mkdirSync(dirname(join(folder, file)), { recursive: true })
      writeFileSync(join(folder, file), content)
    },
    close: () => shell.stdin.end(),
  }
}

/** Throws at the first block that does not hold, with its line. The terminal is closed then. */
export async function walk(markdown: string, terminal: Terminal): Promise<void> {
  let printed: string | null = null
  for (const block of blocksOf(markdown)) {
    if (isForReading(block)) continue
    try {
      printed = await take(block, terminal, printed)
    } catch (thrown) {
      terminal.close()
      throw new Error(`line ${block.line}: ${(thrown as Error).message}`)
    }
  }
  terminal.close()
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

/** `…` within a line is any of its characters; alone on a line it is any lines, and none. */
function asPattern(content: string): RegExp {
  const lines = content.trim().split('\n')
  const pattern = lines.map((line, n) => {
    if (line.trim() === '…') return n === lines.length - 1 ? '[^]*' : '(?:[^\\n]*\\n)*?'
    const end =
      n === lines.length - 1 ? '' : lines.at(-1)?.trim() === '…' && n === lines.length - 2 ? '(?:\\n|$)' : '\\n'
    return `${line.split('…').map(escaped).join('[^\\n]*?')}${end}`
  })
  return new RegExp(`^${pattern.join('')}$`)
}

const escaped = (part: string): string => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
