/** What the documents claim is checked: links lead somewhere, tables say what the code says, named tests exist. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import manifest from '../package.json' with { type: 'json' }
import { ERRORS } from '../src/errors.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (file: string): string => readFileSync(resolve(root, file), 'utf8')
const DOCUMENTS = globSync('**/*.md', { cwd: root, exclude: (name) => /^(node_modules|coverage)$/.test(name) }).sort()

/** The rows below a marker comment, without the heading. */
function table(text: string, marker: string): readonly (readonly string[])[] {
  const after = text.slice(text.indexOf(`<!-- ${marker}`))
  const lines = after.slice(after.indexOf('\n') + 1).split('\n')
  const end = lines.findIndex((line) => !line.startsWith('|'))
  return lines.slice(2, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}

describe('documents', () => {
  test.for(DOCUMENTS)('%s links to files that exist', (file) => {
    const prose = read(file).replaceAll(/^ *```[\s\S]*?^ *```$/gm, '')
    const links = [...prose.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map((match) => match[1] ?? '')
    const missing = links
      .filter((link) => !/^https?:/.test(link))
      .filter((link) => !existsSync(resolve(root, dirname(file), link)))
    expect(missing).toEqual([])
  })

  test.for(DOCUMENTS)('%s names files of the repository that exist', (file) => {
    const named = [...read(file).matchAll(/`((?:src|test|config|schemas|sandbox|deploy|docs)\/[\w./-]+)`/g)].map(
      (match) => match[1] ?? '',
    )
    expect(named.filter((path) => !existsSync(resolve(root, path)))).toEqual([])
  })

  test('the index of the documentation leads to every page', () => {
    const index = read('docs/README.md')
    const pages = globSync('docs/**/*.md', { cwd: root }).map((file) => file.replace(/^docs\//, ''))
    expect(pages.filter((page) => page !== 'README.md' && !index.includes(`](${page})`))).toEqual([])
  })

  test('what npm is told to run exists, in every document', () => {
    const named = DOCUMENTS.flatMap((file) =>
      [...read(file).matchAll(/\bnpm (start|test|run ([a-z][a-z:-]*))/g)].map(([, short, script]) => [
        file,
        script ?? short ?? '',
      ]),
    )
    expect(named.filter(([, script = '']) => !(script in manifest.scripts))).toEqual([])
    expect(new Set(named.map(([, script]) => script)).size).toBeGreaterThan(8)
  })

  test('what vitest is told to run exists', () => {
    const named = DOCUMENTS.flatMap((file) =>
      [...read(file).matchAll(/\bvitest run ([\w./-]+)|`--project (\w+)`/g)].map(([, path, project]) =>
        path === undefined
          ? read('vitest.config.ts').includes(`name: '${project}'`) || `${file}: ${project}`
          : existsSync(resolve(root, path)) || `${file}: ${path}`,
      ),
    )
    expect(named.length).toBeGreaterThan(1)
    expect(named.filter((each) => each !== true)).toEqual([])
  })

  test('the error table is the catalogue, in both directions', () => {
    const documented = table(read('ARCHITECTURE.md'), 'errors').map(([code, status, body]) => [code, status, body])
    const catalogue = Object.entries(ERRORS).map(([code, row]) => [
      `\`${code}\``,
      String(row.status),
      row.body ? 'yes' : 'no',
    ])
    expect(documented).toEqual(catalogue)
  })

  test('every divergence names a test that exists', () => {
    const rows = ['divergences', 'authorization divergences'].flatMap((marker) =>
      table(read('ARCHITECTURE.md'), marker),
    )
    expect(rows.length).toBeGreaterThan(20)
    for (const row of rows) {
      const named = row.at(-1)?.replaceAll('`', '') ?? ''
      expect(existsSync(resolve(root, named)), `${row[0]}: ${named}`).toBe(true)
    }
  })
})
