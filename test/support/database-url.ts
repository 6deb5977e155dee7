import { Secret } from '../../src/secret.ts'

declare module 'vitest' {
  interface ProvidedContext {
    postgresAdminUrl: string
  }
}

export const TEMPLATE = 'falaj_template'

/** May do what a running hub may, and no more (src/database-rights.ts). */
export const HUB_ROLE = 'falaj_hub'

/** The same server and database, for the account of a hub. */
export function asHub(ownerUrl: Secret<string>): Secret<string> {
  const url = new URL(ownerUrl.reveal())
  url.username = HUB_ROLE
  url.password = HUB_ROLE
  return new Secret(url.href)
}

/** The same server and role, another database. */
export function databaseUrl(adminUrl: string, database: string): Secret<string> {
  const url = new URL(adminUrl)
  url.pathname = `/${database}`
  return new Secret(url.href)
}
