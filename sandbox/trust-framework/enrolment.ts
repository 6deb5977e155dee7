/** What enrolment leaves behind: ids and absolute file paths, enough to configure every participant. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { KeyFiles } from '../tls.ts'
import type { LfiCode, TppCode } from './ecosystem.ts'
import { writeJson } from './files.ts'
import type { KeyMaterial } from './material.ts'

/** A client certificate and the application it names (CN). */
export type ClientMaterial = KeyMaterial & { readonly clientId: string }

export type HubEnrolment = {
  /** The LFI's organisation: OU of its callers, and home of the hub's signing keys in the keystore. */
  readonly organisationId: string
  readonly lfiName: string
  /** One certificate for all listeners: localhost and the loopback addresses. */
  readonly server: KeyMaterial
  /** The application under the LFI's organisation that `signing` and `encryption` are published for. */
  readonly keysClientId: string
  /** Sig2. */
  readonly signing: readonly KeyMaterial[]
  readonly encryption: readonly KeyMaterial[]
  /** C4, with Sig3 as `signing`; both of the hub operator's organisation. */
  readonly toLfi: ClientMaterial & { readonly organisationId: string; readonly signing: KeyMaterial }
  readonly directoryClient: ClientMaterial
  /** For people who operate the hub on the LFI's behalf (the admin listener). */
  readonly adminClient: ClientMaterial
  /** The directory client as a client of the OpenID provider, for the portal. */
  readonly portalSigning: KeyMaterial
  /** Ed25519. */
  readonly auditKeyFile: string
}

export type BankEnrolment = {
  readonly organisationId: string
  readonly name: string
  /** S4; serves the authorization pages as well. */
  readonly server: KeyMaterial
  /** C3. */
  readonly client: ClientMaterial
  /** Sig4. */
  readonly signing: KeyMaterial
  /** Enc1. */
  readonly encryption: KeyMaterial
  /** Whom to expect at Ozone Connect: OU and CN of C4. */
  readonly hub: { readonly organisationId: string; readonly clientId: string }
}

export type TppEnrolment = {
  readonly clientId: string
  readonly clientName: string
  readonly softwareStatementId: string
  readonly organisationId: string
  readonly transport: KeyMaterial
  readonly signing: KeyMaterial
  readonly encryption: KeyMaterial
  readonly redirectUris: readonly string[]
  readonly webhookUris: readonly string[]
}

export type Enrolment = {
  readonly ca: { readonly rootFile: string; readonly bundleFile: string; readonly issuer: KeyFiles }
  readonly hubOperator: { readonly organisationId: string; readonly name: string }
  readonly directory: {
    readonly organisationId: string
    readonly server: KeyFiles
    readonly operator: ClientMaterial
    readonly registerFile: string
    readonly stateFile: string
  }
  readonly edge: { readonly server: KeyFiles }
  readonly hubs: Readonly<Record<LfiCode, HubEnrolment>>
  readonly banks: Readonly<Record<LfiCode, BankEnrolment>>
  readonly tpp: Readonly<Record<TppCode, TppEnrolment>> & { readonly organisationId: string; readonly server: KeyFiles }
  /** An authority of the same name nobody trusts, and its certificate with Wadi Budget's subject. */
  readonly rogue: { readonly bundleFile: string; readonly client: ClientMaterial }
}

const fileIn = (dataDir: string): string => join(dataDir, 'directory', 'enrolment.json')

export const saveEnrolment = (dataDir: string, enrolment: Enrolment): void => writeJson(fileIn(dataDir), enrolment)

export const loadEnrolment = (dataDir: string): Enrolment => JSON.parse(readFileSync(fileIn(dataDir), 'utf8'))
