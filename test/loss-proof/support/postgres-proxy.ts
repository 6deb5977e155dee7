/**
 * Stands between a node of the hub and PostgreSQL, and cuts the node off around the moment when something becomes
 * durable: just before the commit reaches PostgreSQL, or just after PostgreSQL has committed and before the node hears
 * of it. The node needs no part in it.
 */
import { connect, createServer, type Socket } from 'node:net'
import {
  createFramer,
  createStatementReader,
  isBegin,
  isCommit,
  isIdle,
  type Message,
  saysDone,
  writes,
} from './postgres-wire.ts'

/** `statement`: before any statement at all reaches PostgreSQL, whether or not it writes. */
export type Moment = 'before' | 'after' | 'statement'
export type Cut = {
  readonly moment: Moment
  /** Commits, or statements, since it was armed; the first is 1. A statement outside a transaction is one as well. */
  readonly at: number
  /** What must be over when nothing of the node is left: its process. */
  readonly kill: () => Promise<void>
}
export type Trip = { readonly what: string }
export type PostgresProxy = {
  readonly port: number
  /** Since the last `count()`. */
  count(): Count
  arm(cut: Cut): void
  hasCut(): boolean
  /** What it cut, if it came to that. */
  disarm(): Promise<Trip | null>
  close(): Promise<void>
}
/** Statements are what a round trip was made for. */
export type Count = { readonly statements: number; readonly commits: number }

export async function startProxy(upstream: { readonly host: string; readonly port: number }): Promise<PostgresProxy> {
  const sockets = new Set<Socket>()
  let counted = { statements: 0, commits: 0 }
  let armed: Cut | null = null
  let passed = 0
  let trip: Promise<Trip> | null = null

  const cutAll = async (what: string): Promise<Trip> => {
    await armed?.kill()
    for (const socket of sockets) socket.destroy()
    return { what }
  }
  /** True: from here on nothing gets through any more. */
  const isCutAt = (moment: Moment, what: string): boolean => {
    if (trip !== null) return true
    if (armed === null || armed.moment !== moment) return false
    passed += 1
    if (passed !== armed.at) return false
    trip = cutAll(what)
    return true
  }

  const session = (client: Socket): void => {
    const server = connect(upstream)
    for (const socket of [client, server]) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        server.destroy()
      })
    }
    const [fromClient, fromServer] = [createFramer({ startsUntyped: true }), createFramer({ startsUntyped: false })]
    const statementIn = createStatementReader()
    let isOpen = false
    let statements: string[] = []
    /** From the message that says «done» to the one that says it is durable. */
    const held: Message[] = []

    client.on('data', (chunk: Buffer) => {
      for (const message of fromClient(chunk)) {
        const sql = statementIn(message)
        if (sql !== null) {
          statements = isBegin(sql) ? [] : [...statements, sql]
          if (isBegin(sql)) isOpen = true
          if (isCutAt('statement', describe(statements))) return
          if ((isCommit(sql) || (!isOpen && writes(sql))) && isCutAt('before', describe(statements))) return
        }
        if (trip === null) server.write(message.bytes)
      }
    })
    const forward = (messages: readonly Message[]): void => {
      for (const { bytes } of messages) if (trip === null) client.write(bytes)
    }
    server.on('data', (chunk: Buffer) => {
      for (const message of fromServer(chunk)) {
        const isReady = message.type === 'Z'
        if (isReady) counted.statements += 1
        if (held.length > 0 || saysDone(message)) {
          held.push(message)
          if (!isReady) continue
          if (isIdle(message)) {
            counted.commits += 1
            if (isCutAt('after', describe(statements))) return
          }
          forward(held.splice(0))
        } else forward([message])
        if (isIdle(message)) {
          isOpen = false
          statements = []
        }
      }
    })
  }

  const listener = createServer(session)
  await new Promise<void>((ready) => listener.listen(0, '127.0.0.1', ready))
  const address = listener.address()
  return {
    port: address !== null && typeof address === 'object' ? address.port : 0,
    count: () => {
      const count = counted
      counted = { statements: 0, commits: 0 }
      return count
    },
    arm: (cut) => {
      armed = cut
      passed = 0
      trip = null
    },
    hasCut: () => trip !== null,
    disarm: async () => {
      const tripped = await trip
      armed = null
      trip = null
      return tripped
    },
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((done) => listener.close(done))
    },
  }
}

const TABLE = /\b(?:insert into|update|delete from)\s+"?([a-z_]+)/gi

/** The tables that are written, in order. */
function describe(statements: readonly string[]): string {
  const tables = statements.flatMap((sql) =>
    writes(sql) ? [...sql.matchAll(TABLE)].map(([, name]) => name ?? '') : [],
  )
  return [...new Set(tables.filter((name) => name !== 'set'))].join(', ')
}
