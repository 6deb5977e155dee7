/**
 * Where the hub may connect to when somebody else has named the place: a TPP its webhook, the directory a key set
 * (OWASP API7). What counts is the address that is connected to. It is looked at after the name was resolved and by the
 * very look-up that the connection is made with, so that a name which resolves differently a moment later gains
 * nothing, and neither does another way to write an address: 2130706433, 0x7f.1 and [::ffff:127.0.0.1] are all 127.0.0.1.
 */
import { lookup as dnsLookup, type LookupAddress, type LookupAllOptions } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { buildConnector } from 'undici'
import { type AddressRule, publicOr } from './address-rule.ts'

/**
 * For `connect` of an agent of undici: https only, unless `protocols` says otherwise, and only to addresses that are
 * allowed. Every connection passes here,
 * whatever made the agent want it.
 */
export type FetchGuard = (options: buildConnector.BuildOptions) => buildConnector.connector

/** Not a fault of the network: the place is one that the hub does not call. */
export class ForbiddenDestination extends Error {
  override readonly name = 'ForbiddenDestination'

  constructor(why: string) {
    super(`the hub does not connect there: ${why}`)
  }
}

export type Resolve = (
  hostname: string,
  options: LookupAllOptions,
  done: (error: NodeJS.ErrnoException | null, found: LookupAddress[]) => void,
) => void

const NOT_PUBLIC = 'its address is not a public one'

/** `allowedAddresses`: the operator's exceptions (address-rule.ts). */
export function createFetchGuard(
  allowedAddresses: readonly string[],
  resolve: Resolve = dnsLookup,
  protocols: readonly string[] = ['https:'],
): FetchGuard {
  const allows = publicOr(allowedAddresses)
  const lookup = lookupWithin(allows, resolve)
  return (options) => {
    const connect = buildConnector({ ...options, lookup })
    return (wanted, done) => {
      const refusal = refusalOf(wanted, allows, protocols)
      if (refusal === null) connect(wanted, done)
      else done(refusal, null)
    }
  }
}

/** An address that is written out is connected to without a look-up. */
function refusalOf(
  { protocol, hostname }: buildConnector.Options,
  allows: AddressRule,
  protocols: readonly string[],
): Error | null {
  if (!protocols.includes(protocol))
    return new ForbiddenDestination(`it is not ${protocols.map((each) => each.replace(':', '')).join(' or ')}`)
  return isIP(hostname) !== 0 && !allows(hostname) ? new ForbiddenDestination(NOT_PUBLIC) : null
}

/** The connection asks for one address or for all; either way it gets only what was looked at. */
function lookupWithin(allows: AddressRule, resolve: Resolve): LookupFunction {
  return (hostname, options, done) => {
    resolve(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) return done(error, '', 0)
      const [first] = found
      // One that is not allowed spoils the name: nobody whose host is public publishes a private address beside it.
      if (first === undefined || !found.every(({ address }) => allows(address))) {
        return done(new ForbiddenDestination(NOT_PUBLIC), '', 0)
      }
      if (options.all === true) done(null, found)
      else done(null, first.address, first.family)
    })
  }
}
