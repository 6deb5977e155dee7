/** The proxies in front of a listener: which connections are theirs, and whom they speak for. */
import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'
import type { ListenerTls } from '../config.ts'
import type { Thumbprint } from '../ids.ts'

export type BehindProxy = Extract<ListenerTls, { readonly mode: 'behind-proxy' }>
export type Proxies = {
  /** Whether a connection from there may be a proxy's at all. */
  hasAddress(address: string | undefined): boolean
  /** Whether a certificate, already found to be the proxy authority's, is one of a proxy of ours. */
  hasCertificate(thumbprint: Thumbprint): boolean
  /** Whom the proxy got the request from. */
  addressOf(request: Pick<IncomingMessage, 'headersDistinct' | 'socket'>): string
}

const PIN = 'sha256:'
/** More hops than any deployment has. */
const HOPS_MAX = 20

export function createProxies({ peers, addressHeader }: BehindProxy): Proxies {
  const networks = new BlockList()
  for (const peer of peers.filter((each) => !each.startsWith(PIN))) {
    const { address, prefix, family } = networkIn(peer)
    networks.addSubnet(address, prefix, family)
  }
  const pins = new Set(peers.filter((each) => each.startsWith(PIN)).map((each) => each.slice(PIN.length)))
  const hasAddress: Proxies['hasAddress'] = (address) => {
    const plain = plainAddress(address ?? '')
    return plain !== '' && networks.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4')
  }
  return {
    hasAddress,
    hasCertificate: (thumbprint) => pins.size === 0 || pins.has(thumbprint),
    addressOf: ({ headersDistinct, socket }) => {
      const own = plainAddress(socket.remoteAddress ?? '')
      const lines = addressHeader === 'none' ? [] : (headersDistinct[addressHeader] ?? [])
      const hops = lines.join(',').split(',').slice(-HOPS_MAX)
      // Each proxy adds at the end whom it spoke to. What stands before the last stranger, that stranger wrote.
      let nearest = own
      for (const hop of hops.reverse()) {
        const address = plainAddress(addressHeader === 'forwarded' ? forwardedFor(hop) : hop.trim())
        if (address === '') return nearest
        nearest = address
        if (!hasAddress(address)) return address
      }
      return nearest
    },
  }
}

/** An address, or a network as address and prefix length. The configuration was checked for them. */
function networkIn(text: string): {
  readonly address: string
  readonly prefix: number
  readonly family: 'ipv4' | 'ipv6'
} {
  const [address = '', length] = text.split('/')
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
  return { address, prefix: length === undefined ? (family === 'ipv6' ? 128 : 32) : Number(length), family }
}

/** RFC 7239 4, 6: the `for` of one hop, whose IPv6 addresses have brackets and may have a port. */
function forwardedFor(hop: string): string {
  const node = /(?:^|;)\s*for=("[^"]*"|[^;\s"]*)\s*(?:;|$)/i.exec(hop)?.[1] ?? ''
  const bare = node.replaceAll('"', '')
  return /^\[([^\]]*)\](?::\d+)?$/.exec(bare)?.[1] ?? bare.replace(/^([\d.]+):\d+$/, '$1')
}

/** As it would be without the detour of an IPv4 address through IPv6; '' for what is no address. */
function plainAddress(text: string): string {
  const plain = text.replace(/^::ffff:(?=\d+\.)/i, '')
  return isIP(plain) === 0 ? '' : plain.toLowerCase()
}
