/** Where an authority publishes its revocation list: plain HTTP, as such places are. */
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

export type ListSource = {
  readonly url: string
  /** From now on. */
  publish(list: Buffer): void
  answer(how: RequestListener): void
  /** How often it was asked. */
  asked(): number
  close(): Promise<void>
}

export async function startListSource(): Promise<ListSource> {
  let asked = 0
  let how: RequestListener = (_request, response) => void response.writeHead(404).end()
  const server = createServer((request, response) => {
    asked += 1
    how(request, response)
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/issuing.crl`,
    publish: (list) => {
      how = (_request, response) => void response.writeHead(200, { 'content-type': 'application/pkix-crl' }).end(list)
    },
    answer: (other) => {
      how = other
    },
    asked: () => asked,
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}
