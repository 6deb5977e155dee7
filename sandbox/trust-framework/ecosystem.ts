/** Who takes part in the sandbox: organisations and applications with fixed ids, and the certificates each holds. */
import { createHash } from 'node:crypto'
import type { CertificateKind } from './certificate-kinds.ts'

export const LFI_CODES = ['aurora', 'meridian'] as const
export type LfiCode = (typeof LFI_CODES)[number]

export type Organisation = {
  readonly id: string
  readonly legalName: string
  readonly friendlyName: string
  readonly size: 'LFI' | 'TPP' | 'Operator'
  readonly roles: readonly DomainRole[]
  readonly city: string
  readonly flags: Readonly<Record<string, boolean>>
}
export type DomainRole = 'LFI' | 'BDSP' | 'BSIP' | 'ISP'

export type Application = {
  readonly clientId: string
  readonly name: string
  readonly organisation: Organisation
  readonly roles: readonly DomainRole[]
  readonly certificates: readonly CertificateKind[]
  /** Where its keys are, below the sandbox's data folder. Unique. */
  readonly folder: string
}

const organisation = (id: string, legalName: string, rest: Partial<Organisation>): Organisation => ({
  id,
  legalName,
  friendlyName: legalName,
  size: 'Operator',
  roles: [],
  city: 'Abu Dhabi',
  flags: {},
  ...rest,
})

export const HUB_OPERATOR = organisation('cf04c508-96cc-47da-9e93-4692ded47407', 'Falaj Hub Operator', {})
export const DIRECTORY_OPERATOR = organisation('c562ad62-0673-466c-ab88-d521134f7996', 'Sandbox Trust Framework', {})
export const WADI_MONEY = organisation('f37f8559-e15c-496a-b978-653006a0218f', 'Wadi Money FZ-LLC', {
  friendlyName: 'Wadi Money',
  size: 'TPP',
  roles: ['BDSP', 'BSIP', 'ISP'],
  city: 'Dubai',
})
export const LFIS = {
  aurora: organisation('cd7e71fa-1863-44be-9ce1-e3add79d70f8', 'Aurora Bank PJSC', {
    friendlyName: 'Aurora Bank',
    size: 'LFI',
    roles: ['LFI'],
  }),
  meridian: organisation('124bd366-e98a-4a1b-82f1-bf26c45646f7', 'Meridian Islamic Bank PJSC', {
    friendlyName: 'Meridian Islamic Bank',
    size: 'LFI',
    roles: ['LFI'],
    city: 'Sharjah',
    flags: { shariah_compliant: true },
  }),
} as const satisfies Record<LfiCode, Organisation>

export const ORGANISATIONS: readonly Organisation[] = [
  LFIS.aurora,
  LFIS.meridian,
  WADI_MONEY,
  HUB_OPERATOR,
  DIRECTORY_OPERATOR,
]

/** The five applications around one LFI (lfi-api 4.1 names their certificates). */
export type LfiPart = 'bank' | 'hubKeys' | 'hubToLfi' | 'hubToDirectory' | 'console'

function lfiApplications(
  code: LfiCode,
  ids: Readonly<Record<LfiPart, string>>,
): Readonly<Record<LfiPart, Application>> {
  const lfi = LFIS[code]
  const keys = `hubs/${code}/keys`
  const hubClient = { organisation: HUB_OPERATOR, roles: [] }
  return {
    // C3, Sig4 and Enc1. Listed before the hub's own keys: who looks for the LFI's encryption key, for personal
    // data that only the LFI may read, and takes the first of the organisation, finds Enc1.
    bank: {
      clientId: ids.bank,
      name: `${lfi.friendlyName} hh-cm client`,
      organisation: lfi,
      roles: ['LFI'],
      certificates: ['client-transport', 'client-signing', 'server-encryption'],
      folder: `banks/${code}/keys`,
    },
    // Sig2, and a key for request objects encrypted to the hub: the operator holds them, the LFI's name is on them.
    hubKeys: {
      clientId: ids.hubKeys,
      name: `${lfi.friendlyName} API hub`,
      organisation: lfi,
      roles: ['LFI'],
      certificates: ['client-signing', 'client-encryption'],
      folder: `${keys}/hub`,
    },
    console: {
      clientId: ids.console,
      name: `${lfi.friendlyName} operations console`,
      organisation: lfi,
      roles: ['LFI'],
      certificates: ['client-transport'],
      folder: `${keys}/console`,
    },
    // C4 and Sig3.
    hubToLfi: {
      ...hubClient,
      clientId: ids.hubToLfi,
      name: `Falaj client of ${lfi.friendlyName}`,
      certificates: ['client-transport', 'client-signing'],
      folder: `${keys}/to-lfi`,
    },
    hubToDirectory: {
      ...hubClient,
      clientId: ids.hubToDirectory,
      name: `Falaj directory client for ${lfi.friendlyName}`,
      // The second is how the portal shows the OpenID provider which client it is.
      certificates: ['client-transport', 'client-signing'],
      folder: `${keys}/to-directory`,
    },
  }
}

export const LFI_APPLICATIONS = {
  aurora: lfiApplications('aurora', {
    bank: '217efce5-b44a-4fe8-b99f-781e1c4d4924',
    hubKeys: '69846f46-cef7-447b-8acd-e9cb6da6b49d',
    hubToLfi: 'fc8cffba-e8e8-4218-a526-6448ead193a4',
    hubToDirectory: '5e68a928-c6c2-4627-98bc-90bd43e58550',
    console: '1f837033-5cee-4ddb-ac20-610783c6fd85',
  }),
  meridian: lfiApplications('meridian', {
    bank: '2acb35a1-785b-446e-a5a8-894b291866f7',
    hubKeys: '97782835-8e11-4f4e-894e-985197c7b18a',
    hubToLfi: 'b342eebf-3c00-44dd-9236-d1f358e12891',
    hubToDirectory: '36c3c5f1-2b30-48d2-a4ef-c21e46a2ff97',
    console: 'fe045596-ec1f-4a17-958f-b648b0b38a70',
  }),
} as const satisfies Record<LfiCode, Readonly<Record<LfiPart, Application>>>

const TPP_CERTIFICATES = ['client-transport', 'client-signing', 'client-encryption'] as const

export const TPP_APPLICATIONS = {
  primary: {
    clientId: '7b8fe3e7-35f3-4d23-812f-ad81e82fe13d',
    name: 'Wadi Budget',
    organisation: WADI_MONEY,
    roles: ['BDSP', 'BSIP', 'ISP'],
    certificates: TPP_CERTIFICATES,
    folder: 'tpp/keys/primary',
  },
  second: {
    clientId: 'd42fbe26-3f64-488a-979e-857037fa3bb0',
    name: 'Wadi Budget Two',
    organisation: WADI_MONEY,
    roles: ['BDSP'],
    certificates: TPP_CERTIFICATES,
    folder: 'tpp/keys/second',
  },
} as const satisfies Record<string, Application>
export type TppCode = keyof typeof TPP_APPLICATIONS

/** Holder of the only certificate that may revoke and suspend. */
export const OPERATOR_APPLICATION: Application = {
  clientId: '585d6def-b850-4fb4-a394-26d6394d2a00',
  name: 'Directory operations',
  organisation: DIRECTORY_OPERATOR,
  roles: [],
  certificates: ['client-transport'],
  folder: 'directory/keys/operator',
}

export const APPLICATIONS: readonly Application[] = [
  ...LFI_CODES.flatMap((code) => Object.values(LFI_APPLICATIONS[code])),
  ...Object.values(TPP_APPLICATIONS),
  OPERATOR_APPLICATION,
]

/** Server certificates: folder and the organisation in their subject. They belong to hosts, not to applications. */
export const SERVERS = {
  ...(Object.fromEntries(
    LFI_CODES.flatMap((code) => [
      [`hubs/${code}/keys/server`, HUB_OPERATOR],
      [`banks/${code}/keys/server`, LFIS[code]],
    ]),
  ) as Record<`${'hubs' | 'banks'}/${LfiCode}/keys/server`, Organisation>),
  'directory/keys/server': DIRECTORY_OPERATOR,
  'edge/keys/server': WADI_MONEY,
  'tpp/keys/server': WADI_MONEY,
} as const satisfies Readonly<Record<string, Organisation>>

/** The same UUID (in version 4 form) for the same name, for records that need an id but no home in a table. */
export function stableUuid(name: string): string {
  const hash = createHash('sha256').update(`falaj-sandbox:${name}`).digest('hex')
  const variant = ((Number.parseInt(hash.slice(16, 17), 16) & 0x3) | 0x8).toString(16)
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-4${hash.slice(13, 16)}-${variant}${hash.slice(17, 20)}-${hash.slice(20, 32)}`
}

/** An application and its software statement are two records with two ids; only the client id is in certificates. */
export const softwareStatementId = (application: Application): string =>
  stableUuid(`software-statement:${application.clientId}`)
