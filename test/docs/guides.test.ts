/**
 * The guides, followed word by word beside one sandbox. Each has a folder of its own that looks like a checkout, so
 * what is typed here is what a reader types: only the sandbox in `.falaj/sandbox` is the test's.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AUTHORIZATION_CODES, PUBLISHED_CODES } from '../../src/auth-server/oauth-answer.ts'
import { ERRORS } from '../../src/errors.ts'
import { COMPILE_CACHE } from '../support/compile-cache.ts'
import { startTestSandbox, type TestSandbox } from '../support/sandbox.ts'
import { blocksOf, isForReading, openTerminal, walk } from './guide.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const START_MS = 120_000
const GUIDE_MS = 300_000
const guideOf = (file: string): string => readFileSync(join(ROOT, file), 'utf8')

/** Each guide, and how each of its blocks that are for reading only begins. */
const GUIDES: Readonly<Record<string, readonly string[]>> = {
  'docs/tpp.md': ['npm ci && npm start'],
  'docs/lfi.md': ['npm ci && npm start', '{'],
  'docs/operator.md': [
    'npm ci && npm start',
    "create role falaj_example login password '…';",
    'docker build -f deploy/container/Dockerfile -t falaj .',
    'docker compose -f deploy/container/compose.yaml up',
    'helm install falaj deploy/helm/falaj --set config.secret=falaj-config',
    'falaj migrate --config /etc/falaj/deployment.json',
    'falaj keys rotate --config /etc/falaj/deployment.json --tenant example --use sig',
  ],
  'docs/operations/backup.md': [
    'archive_mode = on',
    'pg_basebackup --dbname "$OWNER_URL" --pgdata /backup/$(date +%F) --wal-method=none --checkpoint=fast',
    'falaj audit export --config deployment.json --tenant aurora --out exported && cp exported/checkpoint "/elsewhere/$(date +%F)"',
    "restore_command = 'cp /archive/%f %p'",
    'touch /restored/recovery.signal && pg_ctl start -D /restored',
    'falaj audit export --config deployment.json --tenant aurora --out restored',
  ],
  'docs/operations/incidents.md': [],
  'docs/calls/README.md': [],
  'docs/regulator.md': [
    'log falaj/aurora+…',
    'node falaj-verify.ts aurora-audit --policy policy.txt',
    'node falaj-verify.ts aurora-audit --key "$KEY" --compare lfi-availability.csv --compare daily.json --compare consents.csv',
  ],
  'docs/contributor.md': ['npm ci', 'npm test'],
}

let home: string
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'falaj-guides-'))
})
afterAll(() => rmSync(home, { recursive: true, force: true }))

/** A checkout to work in: what git has is the repository's, what a reader makes is thrown away. */
function terminalIn(name: string, sandboxDir: string | null) {
  const [folder, state] = [join(home, name), join(home, `${name}-state`)]
  for (const each of [folder, state]) mkdirSync(each, { recursive: true })
  for (const entry of readdirSync(ROOT).filter((each) => !each.startsWith('.'))) {
    symlinkSync(join(ROOT, entry), join(folder, entry))
  }
  if (sandboxDir !== null) {
    mkdirSync(join(folder, '.falaj'))
    symlinkSync(sandboxDir, join(folder, '.falaj/sandbox'))
  }
  const path = [join(ROOT, 'node_modules/.bin'), process.env['PATH']].join(delimiter)
  return openTerminal(folder, state, { PATH: path, HOME: home, LANG: 'C.UTF-8', ...COMPILE_CACHE })
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
    ['a file outside of the folder', fenced('js ../x.mjs', ''), /says neither/],
  ]
  test.for(CASES)('%s', async ([name, guide, fault]) => {
    const walked = walk(guide, terminalIn(name.replaceAll(' ', '-'), null)).then(
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
  let sandbox: TestSandbox
  beforeAll(async () => {
    sandbox = await startTestSandbox()
  }, START_MS)
  afterAll(() => sandbox?.close(), START_MS)

  test.for(Object.keys(GUIDES))('%s', { timeout: GUIDE_MS }, async (file) => {
    await walk(guideOf(file), terminalIn(file.replaceAll('/', '-'), sandbox.dataDir))
  })
})

test.for(Object.entries(GUIDES))('%s leaves nothing else for reading only', ([file, beginnings]) => {
  const left = blocksOf(guideOf(file)).filter(isForReading)
  expect(left.map(({ content }) => content.split('\n')[0])).toEqual(beginnings)
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
