import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { asOfDay } from '../../sandbox/bank/as-of.ts'
import { bankUsers } from '../../sandbox/bank/bank.ts'
import { BANKS, type Book, createBook } from '../../sandbox/bank/data/book.ts'
import { DAY_MS, dayAt, parseDate, parseMoment, stamp } from '../../sandbox/bank/data/calendar.ts'
import { iban } from '../../sandbox/bank/data/iban.ts'
import type { AccountSpec, BankCode } from '../../sandbox/bank/data/spec.ts'

const CODES: readonly BankCode[] = ['aurora', 'meridian']
const AS_OF = parseDate('2026-10-17') ?? 0
const ALL = { from: null, to: null, currency: 'all' } as const
const bookOf = (code: BankCode, seed = 'test', asOfDay = AS_OF): Book => createBook(code, { seed, asOfDay })
const books = CODES.map((code) => [code, bookOf(code)] as const)

/** The answers as a reader of the API sees them: JSON, nothing else. */
type Wire = Readonly<Record<string, unknown>>
const wire = (value: unknown): Wire => JSON.parse(JSON.stringify(value)) as Wire
const transactionsOf = (book: Book, account: AccountSpec): readonly Wire[] =>
  book.entries(account, ALL).map((entry) => wire(book.transaction(entry, account)))

function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (here, name) => (here as Readonly<Record<string | number, unknown>> | undefined)?.[name],
    value,
  )
}

/** Signed hundredths of an amount, in either casing. */
function signed(holder: unknown, ...path: readonly string[]): bigint {
  const size = at(holder, ...path, 'amount') ?? at(holder, ...path, 'Amount')
  const side = at(holder, 'creditDebitIndicator') ?? at(holder, 'CreditDebitIndicator')
  expect(size).toMatch(/^\d{1,13}\.\d{2}$/)
  expect(side).toMatch(/^(Credit|Debit)$/)
  const minor = BigInt(String(size).replace('.', ''))
  return side === 'Debit' ? -minor : minor
}
const sum = (values: readonly bigint[]): bigint => values.reduce((total, value) => total + value, 0n)

function mod97(text: string): bigint {
  const digits = [...`${text.slice(4)}${text.slice(0, 4)}`].map((sign) => Number.parseInt(sign, 36)).join('')
  return BigInt(digits) % 97n
}

/** Every IBAN-shaped text anywhere in a value. */
const ibansIn = (value: unknown): readonly string[] => JSON.stringify(value).match(/AE\d{2}\d{19}/g) ?? []

describe.each(books)('data of %s', (code, book) => {
  const withHistory = book.bank.accounts.filter((account) => book.statements(account).length > 0)

  test('the last statement plus what was booked since gives the booked balance', () => {
    for (const account of withHistory) {
      const [latest] = book.statements(account)
      const since = transactionsOf(book, account).filter(
        (row) =>
          row['status'] === 'Booked' && String(row['bookingDateTime']).slice(0, 10) > (latest?.ClosingDate ?? ''),
      )
      const interim = book.balances(account).find((row) => wire(row)['balanceType'] === 'InterimBooked')
      const expected = signed(wire(latest?.ClosingBalance), 'Amount') + sum(since.map((row) => signed(row, 'amount')))
      expect(signed(interim, 'amount'), account.id).toBe(expected)
    }
  })

  test('the oldest statement opening plus all booked transactions gives the booked balance', () => {
    for (const account of withHistory) {
      const opening = signed(wire(book.statements(account).at(-1)?.OpeningBalance), 'Amount')
      const booked = transactionsOf(book, account).filter((row) => row['status'] === 'Booked')
      const interim = book.balances(account).find((row) => wire(row)['balanceType'] === 'InterimBooked')
      expect(signed(interim, 'amount'), account.id).toBe(opening + sum(booked.map((row) => signed(row, 'amount'))))
    }
  })

  test('every statement agrees with the transactions that name it, and with its neighbours', () => {
    for (const account of withHistory) {
      const rows = transactionsOf(book, account)
      const statements = book.statements(account).toReversed()
      for (const [index, statement] of statements.entries()) {
        const named = rows.filter((row) => at(row, 'statementReference', 0) === statement.StatementId)
        const difference =
          signed(wire(statement.ClosingBalance), 'Amount') - signed(wire(statement.OpeningBalance), 'Amount')
        expect(sum(named.map((row) => signed(row, 'amount'))), statement.StatementId).toBe(difference)
        expect(sum(statement.Summary.map((row) => signed(wire(row), 'Amount')))).toBe(difference)
        expect(statement.Summary.reduce((count, row) => count + row.Count, 0)).toBe(named.length)
        for (const row of named) {
          const date = String(row['bookingDateTime']).slice(0, 10)
          expect(date >= statement.OpeningDate && date <= statement.ClosingDate).toBe(true)
        }
        const next = statements[index + 1]
        if (next !== undefined) expect(next.OpeningBalance).toEqual(statement.ClosingBalance)
      }
    }
  })

  test('each booked transaction shows the balance it leaves', () => {
    for (const account of book.bank.accounts) {
      const rows = transactionsOf(book, account).filter((row) => row['status'] === 'Booked')
      for (const [index, row] of rows.slice(0, 400).entries()) {
        const older = rows[index + 1]
        if (older === undefined) continue
        expect(signed(row['balance'], 'amount')).toBe(signed(older['balance'], 'amount') + signed(row, 'amount'))
      }
    }
  })

  test('all IBANs have right check digits, and no two accounts share one', () => {
    const own = book.bank.accounts.flatMap((account) => ibansIn(book.accountView(account)))
    expect(new Set(own).size).toBe(own.length)
    expect(own.length).toBeGreaterThan(8)
    const foreign = book.bank.accounts.flatMap((account) => [
      ...ibansIn(book.beneficiaries(account)),
      ...ibansIn(transactionsOf(book, account).slice(0, 300)),
    ])
    for (const number of new Set([...own, ...foreign])) expect(mod97(number), number).toBe(1n)
  })

  test('standing orders, direct debits and scheduled payments refer to payees and to their own movements', () => {
    let orders = 0
    for (const account of book.bank.accounts) {
      const known = new Set(book.beneficiaries(account).flatMap((row) => JSON.stringify(at(row, 'creditorAccount'))))
      const rows = transactionsOf(book, account)
      for (const order of book.standingOrders(account).map(wire)) {
        orders += 1
        expect(known).toContain(JSON.stringify(order['creditorAccount']))
        const last = rows.find((row) => row['transactionDateTime'] === order['lastPaymentDateTime'])
        expect(last?.['amount']).toEqual(order['lastPaymentAmount'])
        expect(last?.['flags']).toContain('StandingOrder')
        expect(String(order['nextPaymentDateTime']) >= stamp(parseMoment('2026-10-17') ?? 0)).toBe(true)
      }
      for (const mandate of book.directDebits(account).map(wire)) {
        const last = rows.find((row) => row['transactionDateTime'] === mandate['previousPaymentDateTime'])
        expect(last?.['amount']).toEqual(mandate['previousPaymentAmount'])
        expect(last?.['flags']).toContain('DirectDebit')
        expect(String(last?.['transactionInformation'])).toContain(String(mandate['name']))
      }
      for (const plan of book.scheduledPayments(account).map(wire)) {
        expect(known).toContain(JSON.stringify(plan['creditorAccount']))
        expect(String(plan['scheduledPaymentDateTime']) > '2026-10-17').toBe(true)
      }
    }
    expect(orders).toBeGreaterThan(5)
  })

  test('money that moves between accounts of the bank leaves one and reaches the other', () => {
    for (const account of book.bank.accounts) {
      for (const habit of account.habits) {
        if (habit.does !== 'mirror') continue
        const source = book.account(habit.account)
        if (source === null) throw new Error(`${account.id} mirrors nobody`)
        const out = book.entries(source, ALL).filter(({ mandate }) => mandate === habit.mandate)
        const into = book.entries(account, ALL).filter(({ mandate }) => mandate === habit.mandate)
        expect(into.length).toBeGreaterThan(20)
        expect(into.map(({ at: moment, fils }) => [moment, -fils])).toEqual(
          out.map(({ at: moment, fils }) => [moment, fils]),
        )
      }
    }
  })

  test('the same seed tells the same story, another seed another one', () => {
    const rowsOf = (from: Book) => from.bank.accounts.map((account) => transactionsOf(from, account).slice(0, 50))
    const first = JSON.stringify(rowsOf(book))
    expect(JSON.stringify(rowsOf(bookOf(code)))).toBe(first)
    expect(JSON.stringify(rowsOf(bookOf(code, 'other')))).not.toBe(first)
  })

  test('values fit what the TPP side of the contract can carry', () => {
    for (const account of book.bank.accounts) {
      const view = wire(book.accountView(account))
      expect(String(view['description']).length).toBeLessThanOrEqual(35)
      expect(account.id).toMatch(/^[A-Za-z0-9-]{1,40}$/)
      for (const row of transactionsOf(book, account).slice(0, 300)) {
        for (const digits of [
          row['terminalId'],
          at(row, 'merchantDetails', 'merchantId'),
          at(row, 'billDetails', 'BillerID'),
        ]) {
          if (digits !== undefined) expect(digits).toMatch(/^\d{5,15}$/)
        }
        expect(String(at(row, 'statementReference', 0) ?? '').length).toBeLessThanOrEqual(35)
        expect(String(at(row, 'cardInstrument', 'identification') ?? '').length).toBeLessThanOrEqual(16)
        const rate = at(row, 'currencyExchange', 'exchangeRate')
        if (rate !== undefined) expect(Number(rate)).toBeGreaterThan(0)
      }
    }
  })

  test('the users table names everybody once and only accounts that exist', () => {
    const users = bankUsers(code)
    expect(new Set(users.map(({ username }) => username)).size).toBe(users.length)
    expect(new Set(users.map(({ userId }) => userId)).size).toBe(users.length)
    for (const user of users) {
      expect(user.story).toMatch(/^[^.]+\.$/)
      expect(user.accountIds.length).toBeGreaterThan(0)
      for (const id of user.accountIds) expect(book.account(id)).not.toBeNull()
    }
    expect(new Set(users.flatMap(({ accountIds }) => accountIds)).size).toBe(BANKS[code].accounts.length)
  })

  test('the stories hold: joint, empty, ten thousand, frozen, foreign currency', () => {
    const [shared] = book.bank.accounts.filter(({ holders }) => holders.length === 2)
    expect(
      book.bank.users.filter((user) => shared !== undefined && book.accountsOf(user).includes(shared)),
    ).toHaveLength(2)
    const empty = book.bank.accounts.find(({ openedDaysAgo }) => openedDaysAgo < 30)
    expect(empty === undefined ? null : book.entries(empty, ALL)).toEqual([])
    const lengths = book.bank.accounts.map((account) => book.entries(account, ALL).length)
    expect(lengths).toContain(10_000)
    expect(book.bank.accounts.map(({ status }) => status)).toEqual(expect.arrayContaining(['Suspended', 'Closed']))
    const [plain] = book.bank.accounts
    const foreign = plain === undefined ? [] : book.entries(plain, { ...ALL, currency: 'foreign' })
    expect(foreign.length).toBeGreaterThan(10)
    expect(foreign.length).toBeLessThan(plain === undefined ? 0 : book.entries(plain, ALL).length)
  })
})

test('whatever the day, deposits without an overdraft never go below zero and no movement lies in the future', () => {
  for (let offset = 0; offset < 400; offset += 37) {
    for (const code of CODES) {
      const book = bookOf(code, 'falaj', AS_OF + offset)
      for (const account of book.bank.accounts) {
        const entries = book.entries(account, ALL)
        expect(entries.every(({ at: moment }) => dayAt(moment) < AS_OF + offset)).toBe(true)
        const deposit = account.subType === 'CurrentAccount' || account.subType === 'Savings'
        if (!deposit || account.creditLimit !== undefined) continue
        expect(Math.min(0, ...entries.map(({ balance }) => balance)), `${account.id} +${offset}`).toBe(0)
      }
    }
  }
})

test('the two banks share no account, IBAN or user id, and differ in their products', () => {
  const [aurora, meridian] = [bookOf('aurora'), bookOf('meridian')]
  for (const account of aurora.bank.accounts) expect(meridian.account(account.id)).toBeNull()
  for (const user of aurora.bank.users) expect(meridian.user(user.userId)).toBeNull()
  const rates = (book: Book) => JSON.stringify(book.bank.accounts.map((account) => book.products(account)))
  expect(rates(meridian)).not.toMatch(/Interest"/)
  expect(rates(meridian)).toMatch(/"ShariaStructure":"Ijara"/)
  expect(rates(aurora)).not.toMatch(/Sharia|Profit/)
})

test('an IBAN known to be right comes out, and a wrong digit would be seen', () => {
  // The registry's published example for the country.
  expect(iban('033', '1234567890123456')).toBe('AE070331234567890123456')
  expect(mod97('AE070331234567890123457')).not.toBe(1n)
})

test('dates that do not exist are not dates', () => {
  expect(parseDate('2026-02-30')).toBeNull()
  expect(parseMoment('2026-13-01T00:00:00Z')).toBeNull()
  expect(parseMoment('2026-10-17')).toBe(Date.parse('2026-10-17T00:00:00+04:00'))
  expect(parseMoment('2026-10-17T10:00:00')).toBe(Date.parse('2026-10-17T10:00:00+04:00'))
  expect(dayAt(Date.parse('2026-10-16T20:00:00Z')) * DAY_MS).toBe(Date.parse('2026-10-17T00:00:00Z'))
})

test('the as-of date survives restarts for a week, and no longer', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bank-as-of-'))
  const file = join(folder, 'deep', 'state.json')
  const start = Date.parse('2026-10-17T12:00:00+04:00')
  expect(asOfDay(file, start)).toBe(AS_OF)
  expect(asOfDay(file, start + 6 * DAY_MS)).toBe(AS_OF)
  expect(asOfDay(file, start + 7 * DAY_MS)).toBe(AS_OF + 7)
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ asOf: '2026-10-24' })
  // A clock set back, or a file of somebody else: today is the safe answer.
  expect(asOfDay(file, start)).toBe(AS_OF)
  writeFileSync(file, 'not json')
  expect(asOfDay(file, start + DAY_MS)).toBe(AS_OF + 1)
  rmSync(folder, { recursive: true })
})
