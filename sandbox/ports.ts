import { createServer } from 'node:net'
import { SandboxError } from './sandbox-error.ts'
import { allPorts, type Topology } from './topology.ts'

export async function refuseTakenPorts(place: Topology): Promise<void> {
  const looked = allPorts(place).map(async (each) => ((await isFree(each.port)) ? [] : [each]))
  const taken = (await Promise.all(looked)).flat()
  if (taken.length === 0) return
  const lines = taken.map(({ port, owner }) => `  ${port}  ${owner}`)
  throw new SandboxError(
    `these ports are taken by other programs:\n${lines.join('\n')}\nchoose another base with --port, for example: npm start -- --port 9440`,
  )
}

export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}
