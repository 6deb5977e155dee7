/** A database for a file of tests, and in it an empty store with its clock set for each test. */
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { type Db, inTransaction } from '../../../src/db.ts'
import { HubError } from '../../../src/errors.ts'
import type { ConsentId } from '../../../src/ids.ts'
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts'
import { type TestStore, testStore } from './support.ts'

export type Fixture = {
  readonly db: Db
  readonly hub: TestStore
  /** Makes the last step of every end fail. */
  failOnTerminal: boolean
  storedStatus(id: ConsentId): Promise<string>
  grant(id: ConsentId, grantId: string): Promise<void>
}

export function storeForEachTest(): Fixture {
  let database: TestDatabase | null = null
  let store: TestStore | null = null
  const fixture: Fixture = {
    get db() {
      return there(database).db
    },
    get hub() {
      return there(store)
    },
    failOnTerminal: false,
    storedStatus: async (id) => (await fixture.db('consent').where({ id }).first('status'))?.status,
    grant: (id, grantId) => inTransaction(fixture.db, (tx) => fixture.hub.store.attachGrant(tx, id, grantId)),
  }
  beforeAll(async () => {
    database = await createTestDatabase()
  })
  afterAll(() => database?.close())
  beforeEach(() => {
    fixture.failOnTerminal = false
    store = testStore(fixture.db, async () => {
      if (fixture.failOnTerminal) throw new Error('the tokens could not be ended')
    })
  })
  afterEach(async () => {
    await store?.close()
    await fixture.db.raw('truncate consent cascade')
  })
  return fixture
}

function there<T>(value: T | null): T {
  if (value === null) throw new Error('only within a test')
  return value
}

/** How a request to the store ended, as its caller would be told. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'done'
  } catch (thrown) {
    if (!(thrown instanceof HubError)) throw thrown
    return `${thrown.status} ${thrown.code}`
  }
}
