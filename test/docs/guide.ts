/**
 * Walks a guide as its reader would: what stands in a fenced block is typed, in order, in one folder. The words after
 * the fence say what a block is:
 *
 *   sh                     typed into a terminal that stays open from block to block; it must end with status 0
 *   sh goes-on             typed into a terminal of its own, where it goes on; its output comes next, and is waited for
 *   <language> <file>      saved as this file
 *   output                 what the block before has printed; … stands for what varies, alone on a line for any lines
 *   <anything> in: <test>  taken from the guide by that test (`blockIn`), which has what it needs
 *   <anything> not-run: …  for reading only, with the reason
 */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
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

const ELSEWHERE = /^in: (test\/\S+\.test\.ts)$/
/** The test that follows the block; null: it is followed here. */
export const followerOf = ({ words }: Block): string | null => ELSEWHERE.exec(words)?.[1] ?? null

/** What a guide has the reader type or write, by how it begins, for the test that its fence names. */
export function blockIn(file: string, beginning: string): string {
  const found = blocksOf(readFileSync(file, 'utf8')).filter(({ content }) => content.startsWith(beginning))
  const [block, ...others] = found
  if (block === undefined || others.length > 0) throw new Error(`${file} has ${found.length} blocks «${beginning}»`)
  return block.content
}

/** A command that goes on: everything that it has printed so far, and its status once it has ended. */
export type Running = { printed(): string; readonly ended: Promise<number | null>; interrupt(): void }

/** In a terminal of its own, whose Ctrl-C reaches all that it has started. */
export function startIn(folder: string, environment: NodeJS.ProcessEnv, commands: string): Running {
  const shell = spawn('bash', ['--norc', '-c', commands], {
    cwd: folder,
    env: environment,
    stdio: 'pipe',
    detached: true,
  })
  let printed = ''
  for (const pipe of [shell.stdout, shell.stderr]) {
    pipe.setEncoding('utf8').on('data', (part: string) => {
      printed += part
    })
  }
  return {
    printed: () => printed,
    ended: new Promise((resolve, reject) => {
      shell.once('error', reject)
      shell.once('close', resolve)
    }),
    interrupt: () => {
      if (shell.pid !== undefined && shell.exitCode === null) process.kill(-shell.pid, 'SIGINT')
    },
  }
}

export type Terminal = {
  /** What it printed; throws with what it complained of when the status is not 0. */
  type(commands: string): Promise<string>
  /** In another terminal: what it has printed, once that is like this. */
  goOn(commands: string, output: RegExp): Promise<string>
  save(file: string, content: string): void
  close(): void
}

type Place = {
  /** Where the reader is. */
  readonly folder: string
  /** Beside it, for what is typed. */
  readonly state: string
  readonly environment: NodeJS.ProcessEnv
  readonly goOn: Terminal['goOn']
  /** Who the reader is; null: whoever runs the test. */
  readonly account: Account | null
}
export type Account = { readonly uid: number; readonly gid: number }

export function openTerminal({ folder, state, environment, goOn, account }: Place): Terminal {
  const shell = spawn('bash', ['--norc', '-s'], { cwd: folder, env: environment, stdio: 'pipe', ...account })
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
    goOn,
    save: (file, content) => {
      mkdirSync(dirname(join(folder, file)), { recursive: true })
      writeFileSync(join(folder, file), content)
    },
    close: () => shell.stdin.end(),
  }
}

/** A block of a guide typed by itself. */
export async function typeIn(
  folder: string,
  environment: NodeJS.ProcessEnv,
  commands: string,
  account: Account | null = null,
): Promise<string> {
  const goOn = () => Promise.reject(new Error('nothing goes on here'))
  const own = { PATH: process.env['PATH'], ...environment }
  const terminal = openTerminal({ folder, state: folder, environment: own, goOn, account })
  try {
    return await terminal.type(commands)
  } finally {
    terminal.close()
  }
}

/** Throws at the first block that does not hold, with its line. The terminal is closed then. */
export async function walk(markdown: string, terminal: Terminal): Promise<void> {
  let printed: string | null = null
  const blocks = blocksOf(markdown).filter((block) => !isForReading(block) && followerOf(block) === null)
  for (const [at, block] of blocks.entries()) {
    try {
      printed = await take(block, { terminal, printed, next: blocks[at + 1] })
    } catch (thrown) {
      terminal.close()
      throw new Error(`line ${block.line}: ${(thrown as Error).message}`)
    }
  }
  terminal.close()
}

type Reading = { readonly terminal: Terminal; readonly printed: string | null; readonly next: Block | undefined }

async function take({ language, words, content }: Block, reading: Reading): Promise<string | null> {
  const { terminal, printed, next } = reading
  if (language === 'output') {
    if (printed === null) throw new Error('nothing was typed before this output')
    if (!asPattern(content).test(printed.trim())) throw new Error(`it printed something else:\n${printed}`)
    return null
  }
  if (language === 'sh' && words === '') return terminal.type(content)
  if (language === 'sh' && words === 'goes-on') {
    if (next?.language !== 'output') throw new Error('nobody knows what to wait for: its output does not come next')
    return terminal.goOn(content, asPattern(next.content))
  }
  if (/^[\w.][\w./-]*$/.test(words) && !words.includes('..')) {
    terminal.save(words, content)
    return null
  }
  throw new Error(
    'this block says neither that it is typed, nor where it is saved, nor who takes it, nor why it is for reading only',
  )
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
