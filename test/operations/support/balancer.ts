/**
 * A load balancer of the plainest kind: it forwards TCP connections in turn to the nodes that say they are ready, and to
 * the next one where a node does not take the connection. It never sees what is inside.
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { freePort } from '../../support/free-port.ts'

export type Node = {
  readonly name: string
  readonly ports: Readonly<Record<string, number>>
  isReady(): Promise<boolean>
}
export type Balancer = {
  /** By role. */
  readonly ports: Readonly<Record<string, number>>
  readonly healthy: ReadonlySet<string>
  /** Connections that are open to a node now. */
  open(node: string): number
  untilHealthy(node: string): Promise<void>
  close(): Promise<void>
}

const CHECK_EVERY_MS = 200

export async function startBalancer(roles: readonly string[]): Promise<Balancer & { add(node: Node): void }> {
  const nodes: Node[] = []
  const healthy = new Set<string>()
  const pairs = new Map<Socket, string>()
  let turn = 0
  const candidates = (): readonly Node[] => {
    const ready = nodes.filter(({ name }) => healthy.has(name))
    turn += 1
    return ready.map((_, index) => ready[(index + turn) % ready.length] as Node)
  }
  const forward = async (role: string, from: Socket): Promise<void> => {
    for (const node of candidates()) {
      const to = connect(node.ports[role] ?? 0, '127.0.0.1')
      const isOpen = await Promise.race([
        once(to, 'connect').then(() => true),
        once(to, 'error').then(() => false),
      ]).catch(() => false)
      if (!isOpen) continue
      pairs.set(from, node.name)
      for (const [one, other] of [
        [from, to],
        [to, from],
      ] as const) {
        one.on('error', () => other.destroy())
        one.on('close', () => other.destroy())
        one.pipe(other)
      }
      from.on('close', () => pairs.delete(from))
      return
    }
    from.destroy()
  }
  const servers: Server[] = []
  const ports: Record<string, number> = {}
  for (const role of roles) {
    const server = createServer({ pauseOnConnect: true }, (from) => {
      from.on('error', () => from.destroy())
      void forward(role, from)
    })
    server.listen(await freePort(), '127.0.0.1')
    await once(server, 'listening')
    servers.push(server)
    ports[role] = (server.address() as AddressInfo).port
  }
  let isClosed = false
  const check = async (): Promise<void> => {
    while (!isClosed) {
      for (const node of nodes) {
        if (await node.isReady().catch(() => false)) healthy.add(node.name)
        else healthy.delete(node.name)
      }
      await new Promise((done) => setTimeout(done, CHECK_EVERY_MS))
    }
  }
  const checking = check()
  return {
    ports,
    healthy,
    add: (node) => void nodes.push(node),
    open: (name) => [...pairs.values()].filter((each) => each === name).length,
    untilHealthy: async (name) => {
      while (!healthy.has(name)) await new Promise((done) => setTimeout(done, 50))
    },
    close: async () => {
      isClosed = true
      await checking
      for (const socket of pairs.keys()) socket.destroy()
      for (const server of servers) server.close()
    },
  }
}
