/** Which addresses are those of public hosts, and the ranges in which an operator makes exceptions. */
import { BlockList, isIP } from 'node:net'

/** Whether an address, in its plain form, may be connected to. */
export type AddressRule = (address: string) => boolean

/** IANA's special-purpose registry (RFC 6890), multicast and the reserved rest: everything that is not a public host. */
const FORBIDDEN_V4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
]
/** All public hosts of IPv6 are in here, and nothing that holds another address: mapped, NAT64, loopback, link-local. */
const PUBLIC_V6 = ['2000::/3']
/** Within it: protocol assignments with Teredo, documentation, and 6to4, which holds an IPv4 address. */
const FORBIDDEN_V6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']

/** This machine, its link, and with it where clouds keep the credentials of a machine (169.254.169.254). */
const OWN = ['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '::/127', 'fe80::/10']

/** `named`: addresses and ranges (`10.1.0.0/16`) that are allowed, on whatever list above they are. */
export function publicOr(named: readonly string[]): AddressRule {
  const exceptions = blockList(named)
  const forbidden = blockList([...FORBIDDEN_V4, ...FORBIDDEN_V6])
  const publicV6 = blockList(PUBLIC_V6)
  return (address) => {
    const family = familyOf(address)
    if (family === null) return false
    if (exceptions.check(address, family)) return true
    return !forbidden.check(address, family) && (family === 'ipv4' || publicV6.check(address, family))
  }
}

/** What is wrong with an entry of the operator's list; null: nothing. */
export function faultOfRange(range: string): string | null {
  const { address, prefix } = partsOf(range)
  const family = familyOf(address)
  if (family === null) return 'is neither an address nor a range such as 10.1.0.0/16'
  const bits = family === 'ipv4' ? 32 : 128
  return Number.isInteger(prefix) && prefix >= 0 && prefix <= bits ? null : `has no prefix of 0 to ${bits}`
}

/** Whether a range without a fault has an address in it that is this machine's or its link's. */
export function holdsOwn(range: string): boolean {
  return OWN.some((own) => holds(range, own) || holds(own, range))
}

/** Of two ranges that overlap, one holds all of the other. */
function holds(range: string, other: string): boolean {
  const { address } = partsOf(other)
  const family = familyOf(address)
  return family !== null && blockList([range]).check(address, family)
}

function blockList(ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const { address, prefix } = partsOf(range)
    list.addSubnet(address, prefix, familyOf(address) ?? 'ipv4')
  }
  return list
}

function partsOf(range: string): { readonly address: string; readonly prefix: number } {
  const [address = '', prefix] = range.split('/')
  const whole = isIP(address) === 6 ? 128 : 32
  return { address, prefix: prefix === undefined ? whole : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN }
}

/** Addresses with a zone (`fe80::1%eth0`) are of no public host and of no list. */
function familyOf(address: string): 'ipv4' | 'ipv6' | null {
  const version = address.includes('%') ? 0 : isIP(address)
  return version === 0 ? null : version === 4 ? 'ipv4' : 'ipv6'
}
