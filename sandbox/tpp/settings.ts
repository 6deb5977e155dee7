/** Everything a TPP of the sandbox is told: who it is, whom it trusts, where it keeps things. */
import type { KeyFiles, ListenSettings } from '../tls.ts'

export type TppApplication = {
  /** The software statement's client id; also the CN of the transport certificate. */
  readonly clientId: string
  readonly redirectUri: string
  readonly transport: KeyFiles
  /** `kid` names the signing certificate in the directory's keystore. */
  readonly signing: { readonly kid: string; readonly keyFile: string }
}

export type TppClientSettings = {
  /** Base URL of the trust framework's open data; `/participants` is below it. */
  readonly trustFrameworkUrl: string
  /** PEM of the authorities that directory, hubs and banks are signed by. */
  readonly ca: string
  readonly application: TppApplication
  readonly timeoutSeconds?: number
  /** Told of every HTTP call: never a token, a body or a header. */
  readonly onCall?: (call: HttpCall) => void
}

/** `url` is listed in the directory, and so is the certificate of the key. */
export type WebhookSettings = { readonly url: string; readonly keyFile: string }

/** The web application around the client. */
export type TppSettings = {
  readonly listen: ListenSettings
  /** The origin browsers know it by; the redirect URI is on it. */
  readonly publicUrl: string
  readonly trustFrameworkUrl: string
  readonly caFile: string
  readonly application: TppApplication
  /** Where banks' hubs send events, and what opens them. Absent: none are asked for. */
  readonly webhook?: WebhookSettings
  /** Holds `state.json`: registrations, consents and their refresh tokens. */
  readonly dataDir: string
}

/** One HTTP call as a person may see it. `status` is null when no answer came. */
export type HttpCall = {
  readonly at: number
  readonly method: string
  readonly url: string
  readonly status: number | null
  readonly milliseconds: number
  readonly interactionId: string | null
}
