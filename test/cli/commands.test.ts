/** What the portal can do, the command line can: read from the table of rights, the commands, and the operator's guide. */
import { globSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createProgram } from '../../src/cli/program.ts'
import { VERBS } from '../../src/portal/acts/verbs.ts'
import { RIGHTS } from '../../src/portal/roles.ts'
import { commandNamed, leavesOf } from './commands.ts'

/** Commands that print nothing for a program, and why. */
const WITHOUT_JSON: Readonly<Record<string, string>> = {
  hub: 'it serves until it is stopped; its log is JSON',
  witness: 'it serves until it is stopped; its log is JSON',
  sandbox: 'a program of its own, for people; its manifest is JSON',
}
/** Acts of the portal that have no command, and why. */
const WITHOUT_COMMAND: Readonly<Record<string, string>> = {
  'session.end-mine': 'the command line has no session',
}

const program = createProgram(false)
const commands = leavesOf(program)
const rows = tableOf(readFileSync('docs/operator.md', 'utf8'))

function tableOf(guide: string): ReadonlyMap<string, string> {
  const lines = guide.slice(guide.indexOf('<!-- commands:')).split('\n').slice(3)
  const end = lines.findIndex((line) => !line.startsWith('|'))
  const cells = lines.slice(0, end).map((line) => line.split('|').map((cell) => cell.trim()))
  return new Map(cells.map(([, name = '', command = '']) => [name.replaceAll('`', ''), command]))
}

describe('every command', () => {
  test.for(commands)('%s prints JSON if it is asked to, or says why not', ([words, command]) => {
    const takes = command.options.some(({ long }) => long === '--json')
    expect(takes).toBe(!Object.hasOwn(WITHOUT_JSON, words))
  })

  test('that is excepted exists', () => {
    for (const words of Object.keys(WITHOUT_JSON)) commandNamed(program, words)
  })
})

describe('the guide of operators', () => {
  test('has every page and act of the portal, in the order of its rights, and nothing else', () => {
    expect([...rows.keys()]).toEqual(Object.keys(RIGHTS))
  })

  test.for([...rows])('%s: what it names are commands', ([, cell]) => {
    const named = [...cell.matchAll(/`falaj ([a-z -]+)`/g)].map(([, words = '']) => words)
    for (const words of named) commandNamed(program, words)
    expect(named.length > 0 || /^not here: .{20,}/.test(cell)).toBe(true)
    const flags = [...cell.matchAll(/`(--[a-z-]+)`/g)].map(([, flag]) => flag)
    const known = named.flatMap((words) => commandNamed(program, words).options.map(({ long }) => long))
    expect(known).toEqual(expect.arrayContaining(flags))
  })
})

describe('what documents type', () => {
  const typed = globSync('{{docs,config,schemas,deploy}/**/*,*}.md').flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/`(?:npx )?falaj ([a-z][^`]*)`|^ *(?:npx )?falaj ([a-z].*)$/gm)].map(
      ([, inText, inBlock]) => [file, (inText ?? inBlock ?? '').replaceAll(/\s+/g, ' ')] as const,
    ),
  )

  test('is a command with such options', () => {
    expect(typed.length).toBeGreaterThan(50)
    const wrong = typed.filter(([, line]) => !isTyped(line))
    expect(wrong).toEqual([])
    expect(['frobnicate', 'client list --frob', 'keys rotate --use sig'].map(isTyped)).toEqual([false, false, true])
  })

  /** Words as far as they are commands, and every flag that follows. */
  function isTyped(line: string): boolean {
    const words = line.split(' ')
    if (words[0] === 'sandbox') return true
    let command = program
    for (const word of words) {
      const below = command.commands.find((each) => each.name() === word)
      if (below === undefined) break
      command = below
    }
    const known = new Set(command.options.map(({ long }) => long))
    const flags = words.filter((word) => /^--[a-z]/.test(word)).map((word) => word.replace(/[^a-z-]+$/, ''))
    return command !== program && flags.every((flag) => flag === '--help' || known.has(flag))
  }
})

describe('every act of the portal', () => {
  const sources = globSync('src/cli/*.ts').map((file) => readFileSync(file, 'utf8'))

  test.for(Object.keys(VERBS))('%s has its command, over the same desk', (verb) => {
    const isDone = sources.some((source) => source.includes(`'${verb}'`))
    expect(isDone).toBe(!Object.hasOwn(WITHOUT_COMMAND, verb))
    const cell = rows.get(verb) ?? ''
    expect(cell.startsWith('not here: ')).toBe(!isDone)
  })

  test('that takes two people takes a flag, or waits for the second one all the same', () => {
    const two = Object.entries(VERBS).flatMap(([name, { people }]) => (people === 'two' ? [name] : []))
    expect(two.length).toBeGreaterThan(2)
    for (const name of two.filter((each) => !sources.some((source) => source.includes(`propose('${each}'`)))) {
      const [, words = ''] = /`falaj ([a-z -]+)`/.exec(rows.get(name) ?? '') ?? []
      const flags = commandNamed(program, words).options.map(({ long }) => long)
      expect(
        flags.some((flag) => /^--yes/.test(flag ?? '')),
        name,
      ).toBe(true)
    }
  })
})
