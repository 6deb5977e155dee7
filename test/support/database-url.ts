import { Secret } from '../../src/secret.ts'

declare module 'vitest' {
  interface ProvidedContext {
    postgresAdminUrl: string
  }
}

export const TEMPLATE = 'falaj_template'

/** The same server and role, another database. */
export function databaseUrl(adminUrl: string, database: string): Secret<string> {
  const url = new URL(adminUrl)
  url.pathname = `/${database}`
  return new Secret(url.href)
}
