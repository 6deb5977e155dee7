import { generateKeyPairSync } from 'node:crypto'
import { Secret } from '../../src/secret.ts'

export const newAuditKey = (): Secret<string> =>
  new Secret(generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
