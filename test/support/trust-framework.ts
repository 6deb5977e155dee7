/** The sandbox's trust framework for tests of the hub: enrolled once, and started and stopped at will on its ports. */
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { holderOf, type KeyFiles } from '../../sandbox/tls.ts'
import { enrol } from '../../sandbox/trust-framework/enrol.ts'
import type { Enrolment } from '../../sandbox/trust-framework/enrolment.ts'
import type { Operator } from '../../sandbox/trust-framework/operator.ts'
import {
  startTrustFramework,
  type TrustFramework,
  type TrustFrameworkSettings,
} from '../../sandbox/trust-framework/server.ts'
import type { Clock, Milliseconds, Seconds } from '../../src/clock.ts'
import type { TrustFrameworkConfig } from '../../src/config.ts'
import { type ClientId, toOrganisationId } from '../../src/ids.ts'
import { Secret } from '../../src/secret.ts'
import { type PeerCertificate, thumbprintOf } from '../../src/tls.ts'
import { freePort } from './free-port.ts'

export type TestTrustFramework = Awaited<ReturnType<typeof enrolTrustFramework>>
type Register = { softwareStatements: { ClientId: string }[] }

const TIMEOUT_MS = 2000 as Milliseconds

export async function enrolTrustFramework(clock: Clock) {
  const dataDir = mkdtempSync(join(tmpdir(), 'falaj-trust-'))
  const [publicPort, apiPort] = await Promise.all([freePort(), freePort()])
  const origin = (port: number) => `https://localhost:${port}`
  const hub = { auth: 'https://localhost:8460', rs: 'https://localhost:8462' }
  const enrolment: Enrolment = await enrol({
    dataDir,
    origins: { edge: 'https://localhost:8443', keystore: origin(publicPort), hubs: { aurora: hub, meridian: hub } },
    tpp: {
      primary: { redirectUris: ['https://localhost:8443/callback'], webhookUris: ['https://localhost:8443/webhooks'] },
      second: { redirectUris: ['https://localhost:8443/second'], webhookUris: [] },
    },
  })
  const { directory, ca } = enrolment
  let running: TrustFramework | null = null
  let acts = 0
  let looks = 0
  const stop = async (): Promise<void> => {
    await running?.close()
    running = null
  }
  const read = (file: string): string => readFileSync(file, 'utf8')
  return {
    enrolment,
    /** Starts without the acts of earlier tests, and without the applications named. */
    start: async (
      options: { readonly forget?: readonly ClientId[]; readonly openId?: TrustFrameworkSettings['openId'] } = {},
    ): Promise<void> => {
      await stop()
      acts += options.forget === undefined ? 1 : 0
      const register = JSON.parse(read(directory.registerFile)) as Register
      const gone = new Set<string>(options.forget)
      register.softwareStatements = register.softwareStatements.filter((each) => !gone.has(each.ClientId))
      const registerFile = join(dataDir, 'register.json')
      writeFileSync(registerFile, JSON.stringify(register))
      running = await startTrustFramework({
        publicPort,
        apiPort,
        server: directory.server,
        caFile: ca.bundleFile,
        registerFile,
        stateFile: join(dataDir, `acts-${acts}.json`),
        issuer: ca.issuer,
        ...(options.openId === undefined ? {} : { openId: options.openId }),
        clock: () => {
          looks += 1
          return new Date(clock.now())
        },
      })
    },
    stop,
    /** Grows whenever the directory is asked for a record or a token: it looks at its clock for each. */
    looks: () => looks,
    operator: (): Operator => ({ apiUrl: origin(apiPort), caFile: ca.bundleFile, client: directory.operator }),
    config: (cacheSeconds: number): TrustFrameworkConfig => ({
      apiUrl: origin(apiPort),
      tokenUrl: `${origin(apiPort)}/token`,
      keystoreUrl: origin(publicPort),
      ca: read(ca.bundleFile),
      serverCa: read(ca.bundleFile),
      clientId: enrolment.hubs.aurora.directoryClient.clientId,
      certificate: read(enrolment.hubs.aurora.directoryClient.certFile),
      key: new Secret(read(enrolment.hubs.aurora.directoryClient.keyFile)),
      cacheSeconds: cacheSeconds as Seconds,
      timeoutMs: TIMEOUT_MS,
    }),
    close: async (): Promise<void> => {
      await stop()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

/** As the listener would describe the holder of this certificate. */
export function peerWith(files: KeyFiles, changes: Partial<PeerCertificate> = {}): PeerCertificate {
  const certificate = new X509Certificate(readFileSync(files.certFile))
  const holder = holderOf(certificate)
  return {
    thumbprint: thumbprintOf(certificate),
    organisation: holder?.organisation ?? '',
    organisationId: toOrganisationId(holder?.organisationId),
    commonName: holder?.clientId ?? '',
    subject: certificate.subject,
    issuer: certificate.issuer,
    trusted: true,
    expiresAt: Date.parse(certificate.validTo),
    ...changes,
  }
}
