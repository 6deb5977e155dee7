/**
 * The guides, followed word by word. Their sandbox is the one that they tell the reader to start, in a copy of the
 * checkout; each has a folder of its own that looks like that, so what is typed here is what a reader types.
 */
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { basename, delimiter, join, resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AUTHORIZATION_CODES, PUBLISHED_CODES } from '../../src/auth-server/oauth-answer.ts'
import { ERRORS } from '../../src/errors.ts'
import { COMPILE_CACHE } from '../support/compile-cache.ts'
import { blockIn, blocksOf, followerOf, isForReading, openTerminal, type Running, startIn, walk } from './guide.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const START_MS = 120_000
const GUIDE_MS = 300_000
const guideOf = (file: string): string => readFileSync(join(ROOT, file), 'utf8')

/** Every page that has something to type or to write. */
const PAGES = globSync('docs/**/*.md', { cwd: ROOT })
  .filter((file) => blocksOf(guideOf(file)).length > 0)
  .sort()
/** How each block begins that is for reading only. Its fence says why. */
const FOR_READING: Readonly<Record<string, readonly string[]>> = {
  'docs/operator.md': [
    'docker compose -f deploy/container/compose.yaml up',
    'helm install falaj deploy/helm/falaj --set config.secret=falaj-config',
  ],
}
/** The shorter pages stand beside the guide for operators, and have its names. */
const isBesideOperators = (file: string): boolean => file.startsWith('docs/operations/')
/** Its reader has a checkout and nothing else. */
const BEGINS_BARE = 'docs/contributor.md'

let home: string
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'falaj-guides-'))
})
afterAll(() => rmSync(home, { recursive: true, force: true }))

/** What git would have brought: nothing that was installed, made or kept here. */
function checkOut(name: string): string {
  const folder = join(home, name)
  const isBrought = (from: string) => !['.git', '.falaj', 'node_modules', 'coverage'].includes(basename(from))
  cpSync(ROOT, folder, { recursive: true, filter: isBrought })
  return folder
}

/** Packages that were fetched before are not fetched again. */
const NPM = {
  npm_config_cache: process.env['npm_config_cache'] ?? join(homedir(), '.npm'),
  npm_config_prefer_offline: 'true',
  npm_config_audit: 'false',
}
const environment = () => ({
  PATH: [join(ROOT, 'node_modules/.bin'), process.env['PATH']].join(delimiter),
  HOME: home,
  LANG: 'C.UTF-8',
  ...NPM,
  ...COMPILE_CACHE,
})

type Reader = { readonly goOn: (commands: string, output: RegExp) => Promise<string>; readonly sandboxDir: string }
const NOBODY_GOES_ON: Reader = { goOn: () => Promise.reject(new Error('nothing goes on here')), sandboxDir: '' }

/** A checkout to work in: what git has is the repository's, what a reader makes is thrown away. */
function terminalIn(name: string, { goOn, sandboxDir }: Reader) {
  const [folder, state] = [join(home, name), join(home, `${name}-state`)]
  mkdirSync(state)
  if (!existsSync(folder)) {
    mkdirSync(folder)
    for (const entry of readdirSync(ROOT).filter((each) => !each.startsWith('.'))) {
      symlinkSync(join(ROOT, entry), join(folder, entry))
    }
    mkdirSync(join(folder, '.falaj'))
    if (sandboxDir !== '') symlinkSync(sandboxDir, join(folder, '.falaj/sandbox'))
  }
  return openTerminal({ folder, state, environment: environment(), goOn, account: null })
}

/** Whoever follows a second guide has the first one's terminal still open: the same command goes on in it. */
function createOtherTerminal(checkout: string) {
  const open = new Map<string, Running>()
  const begin = async (commands: string, output: RegExp): Promise<Running> => {
    for (let attempt = 1; ; attempt += 1) {
      const port = 12_000 + 100 * Math.floor(Math.random() * 180)
      const running = startIn(checkout, { ...environment(), FALAJ_SANDBOX_PORT: String(port) }, commands)
      while (!output.test(running.printed().trim())) {
        const status = await Promise.race([running.ended, wait(100, 'goes on' as const)])
        if (status === 'goes on') continue
        // Another sandbox may have these ports.
        if (attempt < 5 && /in use|taken/.test(running.printed())) break
        throw new Error(`status ${status}\n${running.printed()}`)
      }
      if (output.test(running.printed().trim())) return running
    }
  }
  return {
    goOn: async (commands: string, output: RegExp): Promise<string> => {
      const running = open.get(commands) ?? (await begin(commands, output))
      open.set(commands, running)
      return running.printed()
    },
    close: async () => {
      for (const running of open.values()) {
        running.interrupt()
        await running.ended
      }
    },
  }
}

describe('a guide that does not hold is found out', () => {
  const fenced = (info: string, content: string): string => `\`\`\`${info}\n${content}\n\`\`\`\n`
  const said = fenced('sh', 'printf "one\\ntwo 2\\n"')
  const CASES: readonly (readonly [string, string, RegExp | null])[] = [
    ['what is right', said + fenced('output', 'one\ntwo …'), null],
    ['any lines', said + fenced('output', '…\ntwo 2'), null],
    ['no lines', said + fenced('output', 'one\n…\ntwo 2\n…'), null],
    ['lines that end otherwise', fenced('sh', 'printf "a\\r\\nb"') + fenced('output', 'a…\nb'), null],
    ['a file, and what is made of it', fenced('js a/b.mjs', 'console.log(1)') + fenced('sh', 'node a/b.mjs'), null],
    ['a terminal that stays open', fenced('sh', 'export A=1; f() { echo $A; }') + fenced('sh', 'test $(f) = 1'), null],
    ['another output', said + fenced('output', 'one\ntwo 3'), /^line 4: it printed something else/],
    ['an output that goes on', said + fenced('output', 'one'), /line 4: it printed/],
    ['a dot that is no wildcard', said + fenced('output', 'o.e\n…'), /line 4: it printed/],
    ['output of nothing', fenced('output', 'one'), /^line 1: nothing was typed/],
    ['a command that fails', `words\n\n${fenced('sh', 'echo no >&2; false')}`, /^line 3: status 1\nno/],
    ['a command in the middle', fenced('sh', 'false\ntrue'), /status 1/],
    ['one in a pipe', fenced('sh', 'false | true'), /status 1/],
    ['a name that was never set', fenced('sh', 'echo $NEVER'), /NEVER: unbound/],
    ['a program that is broken', fenced('js c.mjs', 'nothing.here') + fenced('sh', 'node c.mjs'), /ReferenceError/],
    ['a block without a purpose', fenced('json', '{}'), /^line 1: this block says neither/],
    ['a block for reading without a reason', fenced('sh not-run:', 'rm -r /'), /says neither/],
    ['a command that goes on for nothing', fenced('sh goes-on', 'sleep 1'), /^line 1: nobody knows what to wait for/],
    ['a file outside of the folder', fenced('js ../x.mjs', ''), /says neither/],
  ]
  test.for(CASES)('%s', async ([name, guide, fault]) => {
    const walked = walk(guide, terminalIn(name.replaceAll(' ', '-'), NOBODY_GOES_ON)).then(
      () => null,
      (error: Error) => error.message,
    )
    if (fault === null) expect(await walked).toBeNull()
    else expect(await walked).toMatch(fault)
  })

  test('and so is a block that never ends', () => {
    expect(() => blocksOf('a\n```sh\ntrue\n')).toThrow('line 2')
  })
})

describe('followed word by word', () => {
  let other: ReturnType<typeof createOtherTerminal>
  let reader: Reader
  beforeAll(async () => {
    const checkout = checkOut('checkout')
    other = createOtherTerminal(checkout)
    reader = { goOn: other.goOn, sandboxDir: join(checkout, '.falaj/sandbox') }
    // The first thing in a guide, and on until the last one is closed.
    await other.goOn(blockIn('docs/tpp.md', 'npm ci'), /^The sandbox is up/m)
  }, START_MS)
  afterAll(() => other?.close(), START_MS)

  test.for(PAGES)('%s', { timeout: GUIDE_MS }, async (file) => {
    const name = file.replaceAll('/', '-')
    if (file === BEGINS_BARE) checkOut(name)
    const terminal = terminalIn(name, reader)
    if (isBesideOperators(file)) await terminal.type(blockIn('docs/operator.md', 'export MANIFEST'))
    await walk(guideOf(file), terminal)
  })
})

test.for(PAGES)('%s leaves nothing else for reading only', (file) => {
  const left = blocksOf(guideOf(file)).filter(isForReading)
  expect(left.map(({ content }) => content.split('\n')[0])).toEqual(FOR_READING[file] ?? [])
})

test.for(PAGES)('what %s leaves to other tests they take from it', (file) => {
  for (const block of blocksOf(guideOf(file))) {
    const follower = followerOf(block)
    if (follower === null) continue
    const source = guideOf(follower)
    // One block by how it begins, or all of the page in their order.
    const taken = [...source.matchAll(/blockIn\(\s*'([^']+)',\s*'([^']+)',?\s*\)/g)]
    const isTaken = taken.some(([, from, beginning = '']) => from === file && block.content.startsWith(beginning))
    const areAll = source.includes(file) && source.includes('blocksOf(DOCUMENT)')
    expect(isTaken || areAll, `${follower} takes the block of line ${block.line}`).toBe(true)
  }
})

test('every alert has its place among the incidents, and what is named there is a rule', () => {
  const rules = readFileSync(join(ROOT, 'deploy/observability/alert-rules.yaml'), 'utf8')
  const alerts = [...rules.matchAll(/^ +- alert: (\w+)$/gm)].map(([, name]) => name)
  const named = [...guideOf('docs/operations/incidents.md').matchAll(/`(Falaj\w+)`/g)].map(([, name]) => name)
  expect(alerts.length).toBeGreaterThan(10)
  expect([...new Set(named)].sort()).toEqual(alerts.sort())
})

test('every alert leads to the part of the incidents that names it', () => {
  const rules = readFileSync(join(ROOT, 'deploy/observability/alert-rules.yaml'), 'utf8')
  const parts = guideOf('docs/operations/incidents.md').split(/^## /m)
  const anchorOf = (part: string): string =>
    (part.split('\n')[0] ?? '')
      .toLowerCase()
      .replaceAll(/[^a-z -]/g, '')
      .replaceAll(' ', '-')
  const found = [...rules.matchAll(/- alert: (\w+)[\s\S]*?runbook: docs\/operations\/incidents\.md#([a-z-]+)$/gm)]
  expect(found.map(([, name]) => name)).toEqual([...rules.matchAll(/- alert: (\w+)$/gm)].map(([, name]) => name))
  for (const [, name = '', anchor] of found) {
    expect(parts.find((part) => anchorOf(part) === anchor) ?? '', `${name} ${anchor}`).toContain(`\`${name}\``)
  }
})

describe('the tables of errors are what the code has', () => {
  const rows = (marker: string): readonly (readonly string[])[] => {
    const [, after = ''] = guideOf('docs/tpp.md').split(`<!-- ${marker}`)
    const lines = after.split('\n').slice(3)
    return lines.slice(0, lines.indexOf('')).map((line) => line.split('|').map((cell) => cell.trim()))
  }
  const codes = (marker: string): readonly string[] => rows(marker).map(([, code = '']) => code.replaceAll('`', ''))

  test('of the resource side', () => {
    const documented = rows('tpp errors').map(([, code = '', status, words = '']) => [
      code.replaceAll('`', ''),
      Number(status),
      !words.startsWith('No body.'),
    ])
    expect(documented).toEqual(Object.entries(ERRORS).map(([code, { status, body }]) => [code, status, body]))
  })

  test('of the OAuth side', () => {
    expect(codes('oauth errors')).toEqual([...PUBLISHED_CODES])
    expect(codes('callback errors')).toEqual([...AUTHORIZATION_CODES])
  })
})
