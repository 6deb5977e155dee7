/** No published file, and no operation of one, is forgotten: each is compared, or it is said why not. */
import { globSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { coverage, NOT_OURS } from './coverage.ts'
import { isPublishedPresent, PAIRS, PUBLISHED_FOLDER } from './published.ts'

const title = `coverage of the published files${isPublishedPresent ? '' : ' — skipped, they are not beside the repository'}`

const verdicts = isPublishedPresent ? coverage() : []

describe.skipIf(!isPublishedPresent)(title, () => {
  test('every operation is compared, or it is said why not, and never both', () => {
    expect(verdicts.filter(({ verdict }) => verdict === 'unmapped')).toEqual([])
    const compared = verdicts.filter(({ verdict }) => verdict === 'compared').map(({ operation }) => operation)
    expect(compared.length).toBeGreaterThan(80)
    expect(compared.filter((operation) => NOT_OURS.some(({ where }) => where.test(operation)))).toEqual([])
  })

  test('every file has operations that were looked at, and no reason is given for nothing', () => {
    const files = globSync('*/*.yaml', { cwd: PUBLISHED_FOLDER }).sort()
    const seen = new Set(verdicts.map(({ operation }) => operation.split(' ')[0] ?? ''))
    expect(files.filter((file) => !seen.has(file))).toEqual([])
    for (const { published } of Object.values(PAIRS)) expect(files).toContain(published)
    const idle = NOT_OURS.filter(({ where }) => !verdicts.some(({ operation }) => where.test(operation)))
    expect(idle.map(({ where }) => String(where))).toEqual([])
  })
})
