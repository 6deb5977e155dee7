import { describe, expect, test } from 'vitest'
import { createLog, type Log, REDACTED } from '../../src/log.ts'

function captured(level: 'trace' | 'info' = 'info'): {
  readonly log: Log
  readonly lines: () => Record<string, unknown>[]
} {
  const written: string[] = []
  const log = createLog({ level, name: 'falaj' }, { write: (line) => void written.push(line) })
  return { log, lines: () => written.map((line) => JSON.parse(line) as Record<string, unknown>) }
}

describe('a line', () => {
  test('says when, how grave, who and what', () => {
    const { log, lines } = captured()
    log.child({ interactionId: 'abc' }).child({ role: 'rs' }).warn({ status: 400 }, 'call refused')
    expect(lines()).toEqual([
      {
        level: 'warn',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        service: 'falaj',
        interactionId: 'abc',
        role: 'rs',
        status: 400,
        msg: 'call refused',
      },
    ])
  })

  test('below the level is not written', () => {
    const { log, lines } = captured('info')
    log.debug('quiet')
    expect(lines()).toEqual([])
  })
})

describe('redaction', () => {
  test.each(REDACTED)('cuts %s at the first and the second level', (name) => {
    const { log, lines } = captured()
    log.info({ [name]: 'hunter2', inner: { [name]: { deep: 'hunter2' }, kept: 1 } }, 'x')
    log.child({ [name]: 'hunter2' }).info('x')
    expect(JSON.stringify(lines())).not.toContain('hunter2')
    expect(lines()[0]).toMatchObject({ [name]: '[redacted]', inner: { [name]: '[redacted]', kept: 1 } })
  })

  test('leaves the code of an error, under its own name', () => {
    const { log, lines } = captured()
    log.info({ errorCode: 'Consent.Invalid' }, 'call refused')
    expect(lines()[0]).toMatchObject({ errorCode: 'Consent.Invalid' })
  })
})

describe('an error', () => {
  const logged = (thrown: unknown): Record<string, unknown> => {
    const { log, lines } = captured()
    log.error({ err: thrown }, 'failed')
    return lines()[0]?.['err'] as Record<string, unknown>
  }

  test('is told by its words and its code, and by nothing else it carries', () => {
    const fault = Object.assign(new TypeError('duplicate key'), {
      code: '23505',
      detail: 'Key (iban)=(hunter2) exists',
      options: { body: 'hunter2' },
    })
    const err = logged(fault)
    expect(err).toEqual({ type: 'TypeError', message: 'duplicate key', stack: expect.any(String), errorCode: '23505' })
  })

  test('is told with its causes, even when they go in a circle', () => {
    const inner = new Error('inner')
    const outer = new Error('outer', { cause: inner })
    expect(logged(outer)).toMatchObject({ message: 'outer', cause: { message: 'inner' } })
    inner.cause = outer
    expect(logged(outer)).toMatchObject({ cause: { cause: { message: 'outer' } } })
  })

  test('that is none is not shown', () => {
    expect(JSON.stringify(logged('hunter2'))).not.toContain('hunter2')
    expect(JSON.stringify(logged({ token: 'hunter2' }))).not.toContain('hunter2')
    expect(logged(undefined)).toBeUndefined()
  })
})

test('nothing that is logged can break the program', () => {
  const { log, lines } = captured()
  const circle: Record<string, unknown> = { name: 'circle' }
  circle['self'] = circle
  for (const odd of [circle, { big: 10n }, { f: () => 1 }, { s: Symbol('s') }, { u: undefined }, Object.create(null)]) {
    expect(() => log.info(odd, 'odd')).not.toThrow()
  }
  expect(() => log.info(undefined as never)).not.toThrow()
  expect(lines().filter((line) => line['msg'] === 'odd')).toHaveLength(6)
})
