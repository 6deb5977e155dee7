/** The machinery of the mutation run, on a toy: what it must say of weakenings that are noticed, missed or impossible. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Bench, type Mutation, type Outcomes, tryMutation } from './mutation.ts'

const DOOR = 'export const opens = (key, time) => key === 42 && time < 10 // only the right one, and only in time'
const ENGINE = 'export const counts = (n) => n + 1\nexport const names = (n) => String(n)'

let root: string
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'falaj-toy-'))
  for (const folder of ['src', 'config', 'schemas', 'node_modules/engine']) {
    mkdirSync(join(root, folder), { recursive: true })
  }
  writeFileSync(join(root, 'package.json'), '{"type":"module"}')
  writeFileSync(join(root, 'src/door.js'), DOOR)
  writeFileSync(join(root, 'node_modules/engine/index.js'), ENGINE)
})
afterAll(() => rmSync(root, { recursive: true }))

const copies: string[] = []
/** Reads what the copy says, as a hub started from it would. */
const examine = async (copy: string): Promise<Outcomes> => {
  copies.push(copy)
  const load = async (file: string) => {
    const text = readFileSync(join(copy, file), 'utf8')
    return import(`data:text/javascript,${encodeURIComponent(text)}`)
  }
  const { opens } = await load('src/door.js')
  const { counts, names } = await load('node_modules/engine/index.js')
  const said = (isRight: boolean) => (isRight ? null : new Error('wrong'))
  return new Map([
    ['wrong-key-fails', said(!opens(41, 1))],
    ['late-fails', said(!opens(42, 10))],
    ['right-key-opens', said(opens(42, 1))],
    ['engine-counts', said(counts(1) === 2)],
    ['engine-names', said(names(1) === '1')],
  ])
}
const trial = (mutation: Partial<Mutation>) => {
  const bench: Bench = { root, examine }
  return tryMutation(bench, { name: 'toy', plan: 'toy', edits: [], breaks: ['wrong-key-fails'], ...mutation })
}
const edit = (find: string, replace: string, file = 'src/door.js') => [{ file, find, replace }]

test('a weakening that its module notices is killed', async () => {
  expect(await trial({ edits: edit('key === 42', 'true') })).toMatchObject({ verdict: 'killed', green: [], red: [] })
})

test('a change that changes nothing survives', async () => {
  const harmless = edit('only the right one', 'one and no other')
  expect(await trial({ edits: harmless })).toMatchObject({ verdict: 'survived', green: ['wrong-key-fails'] })
})

test('no change at all is none', async () => {
  expect(await trial({})).toMatchObject({ verdict: 'not applicable' })
  expect(await trial({ edits: edit('key', 'key') })).toMatchObject({ verdict: 'not applicable' })
  expect(await trial({ edits: edit('=== 42', '=== 42') })).toMatchObject({ verdict: 'not applicable' })
})

test('a weakening that one of two modules misses survives in part', async () => {
  const breaks = ['wrong-key-fails', 'late-fails']
  expect(await trial({ edits: edit('key === 42', 'true'), breaks })).toMatchObject({
    verdict: 'partly survived',
    green: ['late-fails'],
  })
})

test('a weakening that breaks something else as well is told', async () => {
  expect(await trial({ edits: edit('key === 42 && time < 10', 'key !== 42') })).toMatchObject({
    verdict: 'broke more',
    red: ['right-key-opens'],
  })
})

test('a text that is gone, or there twice, is an error', async () => {
  expect(await trial({ edits: edit('key === 43', 'true') })).toMatchObject({ verdict: 'not applicable' })
  expect((await trial({ edits: edit('only', 'never') })).reason).toMatch(/2 times/)
})

test('a hub that does not start is no weakened hub', async () => {
  expect(await trial({ edits: edit('key === 42', 'key ===') })).toMatchObject({ verdict: 'not applicable' })
})

test('a package is changed in the copy alone', async () => {
  const file = 'node_modules/engine/index.js'
  const edits = [...edit('n + 1', 'n + 2', file), ...edit('String(n)', 'n', file), ...edit('key === 42', 'true')]
  const breaks = ['engine-counts', 'engine-names', 'wrong-key-fails']
  expect(await trial({ edits, breaks })).toMatchObject({ verdict: 'killed', red: [], green: [] })
  expect(readFileSync(join(root, 'node_modules/engine/index.js'), 'utf8')).toBe(ENGINE)
})

test('nothing is left behind', () => {
  const left = new Set(readdirSync(tmpdir()))
  expect(copies.length).toBeGreaterThan(5)
  expect(copies.filter((copy) => left.has(copy.slice(tmpdir().length + 1)))).toEqual([])
})
