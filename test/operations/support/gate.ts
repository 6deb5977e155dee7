/** What lies between a hub and its database, or its bank: open, gone (connections are cut and refused), or silent (nothing passes). */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export type Gate = {
  readonly port: number
  aim(at: { readonly host: string; readonly port: number }): void
  set(state: 'open' | 'gone' | 'silent'): void
  /** How many connections were let through since it is there. */
  opened(): number
  close(): Promise<void>
}

export async function startGate(): Promise<Gate> {
  let target = { host: '127.0.0.1', port: 0 }
  let state: Parameters<Gate['set']>[0] = 'open'
  let opened = 0
  const pairs = new Set<readonly [Socket, Socket]>()
  const server = createServer((from) => {
    from.on('error', () => from.destroy())
    if (state === 'gone') return void from.destroy()
    opened += 1
    const to = connect(target.port, target.host)
    const pair = [from, to] as const
    pairs.add(pair)
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      one.on('error', () => other.destroy())
      one.on('close', () => {
        pairs.delete(pair)
        other.destroy()
      })
      one.on('data', (chunk: Buffer) => {
        // What a silent network swallows does not come later either.
        if (state === 'open') other.write(chunk)
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    opened: () => opened,
    aim: (at) => {
      target = at
    },
    set: (next) => {
      state = next
      if (next === 'gone') for (const [from] of pairs) from.destroy()
    },
    close: async () => {
      for (const [from] of pairs) from.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
