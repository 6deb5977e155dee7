/** Everything that one bank needs to run; plain data, so that it can be handed to another process. */
import type { KeyFiles } from '../tls.ts'
import type { BankCode } from './data/spec.ts'
import type { Log } from './log.ts'
import type { ThemeName } from './pages/style.ts'

export type BankSettings = {
  readonly code: BankCode
  readonly name: string
  readonly theme: ThemeName
  /** 0 takes any free port; the started bank tells which. */
  readonly ports: { readonly ozoneConnect: number; readonly pages: number }
  /** S4, and the authorities of the trust framework that every other certificate must lead to. */
  readonly tls: KeyFiles & { readonly caFile: string }
  /** C3, for calling the hub. */
  readonly hubClient: KeyFiles
  /** Sig4, for JWT Auth towards the hub (PKCS #8 PEM). */
  readonly signingKey: { readonly kid: string; readonly keyFile: string }
  /** Enc1, for personal data that only we may read (PKCS #8 PEM). */
  readonly encryptionKey: { readonly kid: string; readonly keyFile: string }
  readonly hub: {
    /** Origin of the headless authorization API. */
    readonly hh: string
    /** Origin of the consent manager. */
    readonly cm: string
    /** `aud` of JWT Auth: the hub's tenant id. */
    readonly audience: string
  }
  readonly hubCaller: {
    /** OU of the certificate that the hub calls with: the hub operator's organisation id. */
    readonly organisationId: string
    /** Origin of the directory's keystore, where `/{OU}/{CN}/application.jwks` is. */
    readonly keystore: string
  }
  /** Where browsers reach the pages, e.g. `https://localhost:8443/banks/aurora`; its path is served. */
  readonly publicBase: string
  readonly seed: string
  /** Keeps the as-of date over restarts. */
  readonly stateFile: string
  /** Every payment that was made, a line each. */
  readonly ledgerFile: string
  /** Default: one JSON line per call on standard output. */
  readonly log?: Log
}
