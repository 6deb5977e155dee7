/** What each participant is told. Nothing in a participant reads anything but these settings. */
import { readFileSync } from 'node:fs'
import type { BankSettings } from './bank/settings.ts'
import type { EdgeSettings } from './edge/edge.ts'
import { folderOf, type Topology } from './topology.ts'
import type { TppSettings } from './tpp/settings.ts'
import { LFI_CODES, type LfiCode } from './trust-framework/ecosystem.ts'
import type { Enrolment } from './trust-framework/enrolment.ts'
import type { TrustFrameworkSettings } from './trust-framework/server.ts'

export function trustFrameworkSettings({ ports, urls }: Topology, enrolment: Enrolment): TrustFrameworkSettings {
  const { server, registerFile, stateFile } = enrolment.directory
  return {
    publicPort: ports.directory,
    apiPort: ports.directoryApi,
    server,
    caFile: enrolment.ca.bundleFile,
    registerFile,
    stateFile,
    issuer: enrolment.ca.issuer,
    openId: {
      port: ports.openId,
      clients: LFI_CODES.map((code) => ({
        clientId: enrolment.hubs[code].directoryClient.clientId,
        organisationId: enrolment.hubOperator.organisationId,
        redirectUris: [`${urls.hubs[code].portal}/login/callback`],
      })),
    },
  }
}

export function tppSettings(place: Topology, enrolment: Enrolment): TppSettings {
  const { primary, server } = enrolment.tpp
  return {
    listen: { port: place.ports.tpp, server },
    publicUrl: place.urls.edge,
    trustFrameworkUrl: place.urls.directory,
    caFile: enrolment.ca.bundleFile,
    application: {
      clientId: primary.clientId,
      redirectUri: primary.redirectUris[0] ?? '',
      transport: primary.transport,
      signing: { kid: primary.signing.kid, keyFile: primary.signing.keyFile },
    },
    webhook: { url: primary.webhookUris[0] ?? '', keyFile: primary.encryption.keyFile },
    dataDir: folderOf(place, 'tpp'),
  }
}

export function edgeSettings(place: Topology, enrolment: Enrolment): EdgeSettings {
  const { ports, urls } = place
  return {
    port: ports.edge,
    cert: readFileSync(enrolment.edge.server.certFile, 'utf8'),
    key: readFileSync(enrolment.edge.server.keyFile, 'utf8'),
    ca: readFileSync(enrolment.ca.bundleFile, 'utf8'),
    routes: [
      { prefix: '/', target: urls.tpp },
      { prefix: '/banks/aurora', target: urls.banks.aurora.pages },
      { prefix: '/banks/meridian', target: urls.banks.meridian.pages },
    ],
    pages: [{ prefix: '/reference', folder: folderOf(place, 'reference') }],
  }
}

const THEMES = { aurora: 'dawn', meridian: 'oasis' } as const satisfies Record<LfiCode, BankSettings['theme']>

export function bankSettings(place: Topology, enrolment: Enrolment, code: LfiCode): BankSettings {
  const bank = enrolment.banks[code]
  const { urls } = place
  return {
    code,
    name: bank.name,
    theme: THEMES[code],
    ports: place.ports.banks[code],
    tls: { certFile: bank.server.certFile, keyFile: bank.server.keyFile, caFile: enrolment.ca.bundleFile },
    hubClient: { certFile: bank.client.certFile, keyFile: bank.client.keyFile },
    signingKey: { kid: bank.signing.kid, keyFile: bank.signing.keyFile },
    encryptionKey: { kid: bank.encryption.kid, keyFile: bank.encryption.keyFile },
    hub: { hh: urls.hubs[code].hh, cm: urls.hubs[code].cm, audience: code },
    hubCaller: { organisationId: bank.hub.organisationId, keystore: urls.directory },
    publicBase: urls.banks[code].public,
    seed: `falaj-${code}`,
    stateFile: folderOf(place, 'banks', code, 'state.json'),
    ledgerFile: folderOf(place, 'banks', code, 'payments.jsonl'),
  }
}
