/** Enrols the whole sandbox: keys, certificates and the directory's register. Run as often as you like. */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { CertificateKind } from './certificate-kinds.ts'
import {
  APPLICATIONS,
  type Application,
  DIRECTORY_OPERATOR,
  HUB_OPERATOR,
  LFI_APPLICATIONS,
  LFI_CODES,
  LFIS,
  type LfiCode,
  OPERATOR_APPLICATION,
  type Organisation,
  SERVERS,
  softwareStatementId,
  TPP_APPLICATIONS,
  type TppCode,
  WADI_MONEY,
} from './ecosystem.ts'
import {
  type BankEnrolment,
  type ClientMaterial,
  type Enrolment,
  type HubEnrolment,
  saveEnrolment,
  type TppEnrolment,
} from './enrolment.ts'
import { auditKey, type KeyMaterial, material } from './material.ts'
import { type Authority, openAuthority, type Subject } from './pki.ts'
import { type RegisteredCertificate, saveRegister } from './register.ts'
import { buildRegister, type Origins, type Uris } from './register-records.ts'

export type EnrolSettings = {
  /** The sandbox's data folder; keys land in it by participant. */
  readonly dataDir: string
  readonly origins: Origins
  readonly tpp: Readonly<Record<TppCode, Uris>>
}

const AUTHORITY_NAME = 'Falaj Sandbox'

export async function enrol(settings: EnrolSettings): Promise<Enrolment> {
  const dataDir = resolve(settings.dataDir)
  const authority = openAuthority(join(dataDir, 'pki'), AUTHORITY_NAME)
  const [held, rogue] = await Promise.all([makeAll(dataDir, authority), makeRogue(dataDir)])
  const enrolment = describe(settings, dataDir, { authority: await authority, held, rogue })
  saveRegister(
    enrolment.directory.registerFile,
    buildRegister(settings.origins, (application) => urisOf(application, settings), registered(held)),
  )
  // Last: with this file everything it names is there.
  saveEnrolment(dataDir, enrolment)
  return enrolment
}

/** Every certificate of the sandbox by application and kind, or by server folder. */
type Held = {
  of(application: Application, kind: CertificateKind): KeyMaterial
  server(folder: keyof typeof SERVERS): KeyMaterial
}

async function makeAll(dataDir: string, authority: Promise<Authority>): Promise<Held> {
  const made = new Map<string, KeyMaterial>()
  const make = async (folder: string, kind: CertificateKind, subject: Subject): Promise<void> => {
    made.set(`${folder}/${kind}`, await material(authority, join(dataDir, folder), { kind, subject }))
  }
  await Promise.all([
    ...APPLICATIONS.flatMap((each) => each.certificates.map((kind) => make(each.folder, kind, subjectOf(each)))),
    ...Object.entries(SERVERS).map(([folder, owner]) => make(folder, 'server-transport', subjectOfServer(owner))),
  ])
  const get = (folder: string, kind: CertificateKind): KeyMaterial => {
    const found = made.get(`${folder}/${kind}`)
    if (found === undefined) throw new Error(`the ecosystem names no ${kind} certificate in ${folder}`)
    return found
  }
  return {
    of: (application, kind) => get(application.folder, kind),
    server: (folder) => get(folder, 'server-transport'),
  }
}

async function makeRogue(dataDir: string): Promise<Enrolment['rogue']> {
  const folder = join(dataDir, 'rogue')
  const authority = openAuthority(join(folder, 'pki'), AUTHORITY_NAME)
  const subject = subjectOf(TPP_APPLICATIONS.primary)
  const client = await material(authority, folder, { kind: 'client-transport', subject })
  return {
    bundleFile: (await authority).bundleFile,
    client: { ...client, clientId: TPP_APPLICATIONS.primary.clientId },
  }
}

const subjectOf = (application: Application): Subject => ({
  ...subjectOfServer(application.organisation),
  clientId: application.clientId,
})

const subjectOfServer = (owner: Organisation): Subject => ({ organisation: owner.legalName, organisationId: owner.id })

function urisOf(application: Application, settings: EnrolSettings): Uris | undefined {
  const code = (Object.keys(TPP_APPLICATIONS) as TppCode[]).find((each) => TPP_APPLICATIONS[each] === application)
  return code === undefined ? undefined : settings.tpp[code]
}

const registered = (held: Held): RegisteredCertificate[] =>
  APPLICATIONS.flatMap((application) =>
    application.certificates.map((kind) => {
      const { kid, certFile } = held.of(application, kind)
      return {
        kid,
        kind,
        organisationId: application.organisation.id,
        organisationName: application.organisation.legalName,
        softwareStatementId: softwareStatementId(application),
        clientId: application.clientId,
        clientName: application.name,
        // The leaf alone: the file of a transport certificate carries its issuer as well.
        pem: new X509Certificate(readFileSync(certFile)).toString(),
      }
    }),
  )

type Made = { readonly authority: Authority; readonly held: Held; readonly rogue: Enrolment['rogue'] }

function describe(settings: EnrolSettings, dataDir: string, { authority, held, rogue }: Made): Enrolment {
  return {
    ca: { rootFile: authority.rootFile, bundleFile: authority.bundleFile, issuer: authority.files },
    hubOperator: { organisationId: HUB_OPERATOR.id, name: HUB_OPERATOR.legalName },
    directory: {
      organisationId: DIRECTORY_OPERATOR.id,
      server: held.server('directory/keys/server'),
      operator: clientOf(held, OPERATOR_APPLICATION),
      registerFile: join(dataDir, 'directory', 'register.json'),
      stateFile: join(dataDir, 'directory', 'state.json'),
    },
    edge: { server: held.server('edge/keys/server') },
    hubs: perLfi((code) => hubOf(held, dataDir, code)),
    banks: perLfi((code) => bankOf(held, code)),
    tpp: {
      organisationId: WADI_MONEY.id,
      server: held.server('tpp/keys/server'),
      primary: tppOf(held, TPP_APPLICATIONS.primary, settings.tpp.primary),
      second: tppOf(held, TPP_APPLICATIONS.second, settings.tpp.second),
    },
    rogue,
  }
}

const perLfi = <T>(make: (code: LfiCode) => T): Record<LfiCode, T> =>
  Object.fromEntries(LFI_CODES.map((code) => [code, make(code)])) as Record<LfiCode, T>

const clientOf = (held: Held, application: Application): ClientMaterial => ({
  clientId: application.clientId,
  ...held.of(application, 'client-transport'),
})

function hubOf(held: Held, dataDir: string, code: LfiCode): HubEnrolment {
  const { hubKeys, hubToLfi, hubToDirectory, console } = LFI_APPLICATIONS[code]
  return {
    organisationId: LFIS[code].id,
    lfiName: LFIS[code].legalName,
    server: held.server(`hubs/${code}/keys/server`),
    keysClientId: hubKeys.clientId,
    signing: [held.of(hubKeys, 'client-signing')],
    encryption: [held.of(hubKeys, 'client-encryption')],
    toLfi: {
      ...clientOf(held, hubToLfi),
      organisationId: HUB_OPERATOR.id,
      signing: held.of(hubToLfi, 'client-signing'),
    },
    directoryClient: clientOf(held, hubToDirectory),
    adminClient: clientOf(held, console),
    portalSigning: held.of(hubToDirectory, 'client-signing'),
    auditKeyFile: auditKey(join(dataDir, 'hubs', code, 'keys', 'audit.key.pem')),
  }
}

function bankOf(held: Held, code: LfiCode): BankEnrolment {
  const { bank, hubToLfi } = LFI_APPLICATIONS[code]
  return {
    organisationId: LFIS[code].id,
    name: LFIS[code].legalName,
    server: held.server(`banks/${code}/keys/server`),
    client: clientOf(held, bank),
    signing: held.of(bank, 'client-signing'),
    encryption: held.of(bank, 'server-encryption'),
    hub: { organisationId: HUB_OPERATOR.id, clientId: hubToLfi.clientId },
  }
}

const tppOf = (held: Held, application: Application, uris: Uris): TppEnrolment => ({
  clientId: application.clientId,
  clientName: application.name,
  softwareStatementId: softwareStatementId(application),
  organisationId: application.organisation.id,
  transport: held.of(application, 'client-transport'),
  signing: held.of(application, 'client-signing'),
  encryption: held.of(application, 'client-encryption'),
  ...uris,
})
