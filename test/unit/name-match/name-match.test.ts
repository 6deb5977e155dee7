import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SLIP_MIN, WORTH } from '../../../src/gateway/name-match/compare.ts'
import { type HeldName, matchName, PARTIAL_MIN } from '../../../src/gateway/name-match/index.ts'
import { masked } from '../../../src/gateway/name-match/mask.ts'
import { similarity } from '../../../src/gateway/name-match/similarity.ts'
import { PARTICLES, TITLES } from '../../../src/gateway/name-match/words.ts'
import { CASES } from './cases.ts'

const judge = (given: string, held: string, kind: HeldName['kind'] = 'person') =>
  matchName({ kind, name: given }, [{ kind, name: held }])
const indicator = (given: string, held: string, kind?: HeldName['kind']) => judge(given, held, kind).indicator

describe('the published table', () => {
  test.each(
    CASES.map((each) => [`${each.given} | ${each.held}: ${each.indicator}`, each] as const),
  )('%s', (_name, each) => {
    expect(indicator(each.given, each.held, each.kind)).toBe(each.indicator)
    // Who is asked about whom makes no difference.
    expect(indicator(each.held, each.given, each.kind)).toBe(each.indicator)
  })

  test('is the one in docs/confirmation-of-payee.md, with the thresholds of the code', () => {
    const text = readFileSync('docs/confirmation-of-payee.md', 'utf8')
    const rows = [
      ...text.matchAll(/^\| (person|business) +\| (.+?) +\| (.+?) +\| (Yes|Partial|No) +\| (.+?) +\|$/gm),
    ].map((row) => row.slice(1))
    expect(rows).toEqual(CASES.map(({ kind, given, held, indicator: result, why }) => [kind, given, held, result, why]))
    for (const value of [PARTIAL_MIN, SLIP_MIN, WORTH.close, WORTH.initial]) expect(text).toContain(String(value))
  })
})

describe('over names of every kind', () => {
  const own = fc.oneof(
    fc.stringMatching(/^[A-Z][a-z]{2,9}$/),
    fc.stringMatching(/^[ابتثجحخدذرزسشصضطظعغفقكلمنهوي]{3,8}$/),
  )
  const word = fc.oneof(
    own,
    fc.constantFrom('Al', 'bin', 'Mohammed', 'ليلى', 'O’Neill', 'Jean-Luc', 'García', 'LLC', '&', 'Dr.'),
  )
  /** Titles and forms of companies alone are nobody's name. */
  const name = fc
    .tuple(own, fc.array(word, { minLength: 1, maxLength: 4 }), fc.nat(4))
    .map(([one, words, at]) => words.toSpliced(at, 0, one).join(' '))
  const kind = fc.constantFrom<HeldName['kind']>('person', 'business')

  test('a name is its own', () => {
    fc.assert(
      fc.property(name, kind, (one, of) => {
        expect(indicator(one, one, of)).toBe('Yes')
      }),
    )
  })
  test('both directions agree', () => {
    fc.assert(
      fc.property(name, name, kind, (one, other, of) => {
        expect(indicator(one, other, of)).toBe(indicator(other, one, of))
      }),
      { numRuns: 500 },
    )
  })
  test('capitals, marks, tatweel and blanks change nothing', () => {
    fc.assert(
      fc.property(name, name, (one, other) => {
        const dressed = `  ${one.toUpperCase().replaceAll(' ', '   ')} `.replaceAll(
          /(\p{Script=Arabic})/gu,
          '$1\u064e\u0640',
        )
        expect(indicator(dressed, other)).toBe(indicator(one, other))
      }),
    )
  })
  test('the order of parts changes nothing for words that stand for themselves', () => {
    const plain = fc.array(fc.stringMatching(/^[BCDFGHJKLMNPRSTVZ][aeiou][bcdfgklmnprstvz]{1,3}[aeiou]?$/), {
      minLength: 2,
      maxLength: 5,
    })
    fc.assert(
      fc.property(plain, (words) => {
        fc.pre(!words.some((one) => TITLES.has(one.toLowerCase()) || PARTICLES.has(one.toLowerCase())))
        expect(indicator(words.toReversed().join(' '), words.join(' '))).toBe('Yes')
      }),
    )
  })
  test('anything at all gets an answer', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 140 }),
        fc.string({ unit: 'grapheme', maxLength: 140 }),
        kind,
        (one, other, of) => {
          expect(['Yes', 'Partial', 'No']).toContain(indicator(one, other, of))
        },
      ),
    )
  })
  test('a name without a letter is nobody’s', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[ .,;:!?()-]{0,20}$/), name, (nothing, held) => {
        expect(indicator(nothing, held)).toBe('No')
      }),
    )
  })
  test('the masked name is only there for a partial match, and shows first letters alone', () => {
    fc.assert(
      fc.property(name, name, (one, other) => {
        const { indicator: result, maskedName } = judge(one, other)
        expect(maskedName === null).toBe(result !== 'Partial')
        if (maskedName === null) return
        const shown = [...maskedName.replaceAll(/[*\P{L}]/gu, '')].length
        expect(shown).toBeLessThanOrEqual([...other.matchAll(/[\p{L}\p{M}\p{N}'’]+/gu)].length)
      }),
    )
  })
  test('the longest name of the contract is judged quickly enough to be asked often', () => {
    const longest = Array.from({ length: 70 }, (_, at) => String.fromCodePoint(97 + (at % 26))).join(' ')
    expect(indicator(longest, longest.split('').toReversed().join(''))).not.toBe('Yes')
  })
})

describe('several names', () => {
  test('the best one counts', () => {
    const held: HeldName[] = ['Sara Khoury', 'Layla Ahmed Haddad', 'Layla Haddad'].map((name) => ({
      kind: 'person',
      name,
    }))
    expect(matchName({ kind: 'person', name: 'Layla Haddad' }, held)).toEqual({ indicator: 'Yes', maskedName: null })
    expect(matchName({ kind: 'person', name: 'Layla Haddad' }, held.slice(0, 2))).toEqual({
      indicator: 'Partial',
      maskedName: 'L**** A**** H*****',
    })
  })
  test('a person’s name is at most part of a company’s', () => {
    expect(
      matchName({ kind: 'person', name: 'Layla Haddad' }, [{ kind: 'business', name: 'Layla Haddad' }]).indicator,
    ).toBe('Partial')
  })
  test('none is no match', () => {
    expect(matchName({ kind: 'person', name: 'Layla Haddad' }, [])).toEqual({ indicator: 'No', maskedName: null })
  })
})

test.each([
  ['Layla Al-Mansoori', 'L**** A*-M*******'],
  ['ليلى حداد', 'ل*** ح***'],
  ['Falcon 24 LLC', 'F***** ** L**'],
  ['O’Neill', 'O******'],
])('%s is masked as %s', (name, expected) => {
  expect(masked(name)).toBe(expected)
})

test.each([
  ['martha', 'marhta', 0.961],
  ['dixon', 'dicksonx', 0.813],
  ['jellyfish', 'smellyfish', 0.896],
  ['abc', 'xyz', 0],
  ['same', 'same', 1],
])('similarity of %s and %s', (one, other, expected) => {
  expect(similarity(one, other)).toBeCloseTo(expected, 2)
  expect(similarity(other, one)).toBeCloseTo(similarity(one, other), 10)
})
