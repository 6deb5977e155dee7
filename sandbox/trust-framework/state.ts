/** The operator's acts since enrolment, kept across restarts. */
import { existsSync, readFileSync } from 'node:fs'
import { PRIVATE, writeJson } from './files.ts'
import type { OrganisationStatus, SoftwareStatus } from './register.ts'

type Acts = {
  /** kid → when it was revoked. A revocation is for good. */
  readonly revoked: Readonly<Record<string, string>>
  readonly softwareStatements: Readonly<Record<string, SoftwareStatus>>
  readonly organisations: Readonly<Record<string, OrganisationStatus>>
}

export type State = {
  revokedAt(kid: string): string | null
  softwareStatus(id: string): SoftwareStatus | null
  organisationStatus(id: string): OrganisationStatus | null
  revoke(kid: string, at: Date): void
  setSoftwareStatus(id: string, status: SoftwareStatus): void
  setOrganisationStatus(id: string, status: OrganisationStatus): void
}

const NONE: Acts = { revoked: {}, softwareStatements: {}, organisations: {} }

export function openState(file: string): State {
  let acts: Acts = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : NONE
  // The file first: an act that was answered is never lost.
  const commit = (next: Acts): void => {
    writeJson(file, next, PRIVATE)
    acts = next
  }
  return {
    revokedAt: (kid) => own(acts.revoked, kid),
    softwareStatus: (id) => own(acts.softwareStatements, id),
    organisationStatus: (id) => own(acts.organisations, id),
    revoke: (kid, at) => {
      if (own(acts.revoked, kid) === null) {
        commit({ ...acts, revoked: { ...acts.revoked, [kid]: at.toISOString() } })
      }
    },
    setSoftwareStatus: (id, status) =>
      commit({ ...acts, softwareStatements: { ...acts.softwareStatements, [id]: status } }),
    setOrganisationStatus: (id, status) => commit({ ...acts, organisations: { ...acts.organisations, [id]: status } }),
  }
}

const own = <T>(table: Readonly<Record<string, T>>, key: string): T | null =>
  Object.hasOwn(table, key) ? (table[key] ?? null) : null
