/** What a configuration file points at, read and looked at. Faults name the file, and never quote what is in it. */
import { execFileSync } from 'node:child_process'
import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, isAbsolute, resolve } from 'node:path'
import { Secret } from '../secret.ts'

export type SecretReference = { readonly file: string } | { readonly env: string }
/** `command`: a program of the operator's, for a key that a key management service hands out. No shell is involved. */
export type EncryptionKeyReference = SecretReference | { readonly command: readonly string[] }
export type KeyPair = { readonly certificate: string; readonly key: Secret<string> }

export type Files = {
  /** Everything that was wrong so far. */
  readonly faults: readonly string[]
  /** Relative to the file that names it. */
  path(name: string): string
  secret(reference: SecretReference): Secret<string>
  /** One or more PEM certificates. */
  authorities(name: string): string
  /** A certificate chain and the private key of its first certificate. */
  pair(certificateFile: string, keyFile: string): KeyPair
  rsaKey(name: string): Secret<string>
  ed25519Key(name: string): Secret<string>
  /** A key that no longer signs: its public half is enough. */
  formerEd25519Key(name: string): Secret<string>
  /** 32 bytes, written in base64. */
  encryptionKey(key: string, reference: EncryptionKeyReference): Secret<Buffer>
}

const PEM_CERTIFICATES = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g
const ENCRYPTION_KEY_BYTES = 32
const COMMAND_MS = 10_000
const COMMAND_OUTPUT_BYTES_MAX = 4096
/** FAPI 2.0 SP 5.4.1. */
const RSA_BITS_MIN = 2048

export function createFiles(file: string, env: NodeJS.ProcessEnv): Files {
  const faults: string[] = []
  const fault = (what: string): void => {
    faults.push(`${file}: ${what}`)
  }
  const path = (name: string): string => (isAbsolute(name) ? name : resolve(dirname(file), name))
  const text = (name: string): string | null => {
    try {
      return readFileSync(path(name), 'utf8')
    } catch (thrown) {
      fault(`file ${path(name)} ${whyUnreadable(thrown)}`)
      return null
    }
  }
  const certificates = (name: string): { readonly pem: string; readonly first: X509Certificate | null } => {
    const pem = text(name)
    if (pem === null) return { pem: '', first: null }
    try {
      const all = (pem.match(PEM_CERTIFICATES) ?? []).map((each) => new X509Certificate(each))
      if (all[0] !== undefined) return { pem, first: all[0] }
    } catch {}
    fault(`file ${path(name)} holds no PEM certificate that can be read`)
    return { pem, first: null }
  }
  const privateKey = (name: string): { readonly pem: string; readonly key: KeyObject | null } => {
    const pem = text(name)
    if (pem === null) return { pem: '', key: null }
    try {
      return { pem, key: createPrivateKey(pem) }
    } catch {
      fault(`file ${path(name)} holds no PEM private key without a passphrase`)
      return { pem, key: null }
    }
  }
  const keyThat = (name: string, suits: (key: KeyObject) => boolean, what: string): Secret<string> => {
    const { pem, key } = privateKey(name)
    if (key !== null && !suits(key)) fault(`the key in ${path(name)} is not ${what}`)
    return new Secret(pem)
  }
  const secretText = (reference: SecretReference): string => {
    if ('file' in reference) return (text(reference.file) ?? '').trim()
    const value = env[reference.env] ?? ''
    if (value === '') fault(`environment variable ${reference.env} is not set`)
    return value
  }
  const commandText = (key: string, [program = '', ...args]: readonly string[]): string => {
    try {
      const stdio: ['ignore', 'pipe', 'ignore'] = ['ignore', 'pipe', 'ignore']
      const limits = { timeout: COMMAND_MS, maxBuffer: COMMAND_OUTPUT_BYTES_MAX, killSignal: 'SIGKILL' } as const
      const named = program.includes('/') ? path(program) : program
      return execFileSync(named, args, { env, stdio, encoding: 'utf8', ...limits }).trim()
    } catch (thrown) {
      // What it wrote may be the key.
      const { code, status } = thrown as { readonly code?: string; readonly status?: number | null }
      fault(`the command of ${key} failed (${code ?? `status ${status}`})`)
      return ''
    }
  }
  return {
    faults,
    path,
    secret: (reference) => new Secret(secretText(reference)),
    encryptionKey: (key, reference) => {
      const faultsBefore = faults.length
      const written = 'command' in reference ? commandText(key, reference.command) : secretText(reference)
      const bytes = Buffer.from(written, 'base64')
      const isWhole = bytes.length === ENCRYPTION_KEY_BYTES && bytes.toString('base64') === written
      if (!isWhole && faults.length === faultsBefore) fault(`${key} is not ${ENCRYPTION_KEY_BYTES} bytes in base64`)
      return new Secret(bytes)
    },
    authorities: (name) => certificates(name).pem,
    pair: (certificateFile, keyFile) => {
      const { pem: certificate, first } = certificates(certificateFile)
      const { pem, key } = privateKey(keyFile)
      if (first !== null && key !== null && !first.checkPrivateKey(key)) {
        fault(`the key in ${path(keyFile)} is not the key of the certificate in ${path(certificateFile)}`)
      }
      return { certificate, key: new Secret(pem) }
    },
    rsaKey: (name) => keyThat(name, isStrongRsa, `RSA of at least ${RSA_BITS_MIN} bits`),
    formerEd25519Key: (name) => {
      const pem = text(name)
      if (pem !== null && !isEd25519(pem)) fault(`file ${path(name)} holds no Ed25519 key, private or public`)
      return new Secret(pem ?? '')
    },
    ed25519Key: (name) => keyThat(name, (key) => key.asymmetricKeyType === 'ed25519', 'Ed25519'),
  }
}

function isEd25519(pem: string): boolean {
  try {
    return createPublicKey(pem).asymmetricKeyType === 'ed25519'
  } catch {
    return false
  }
}

const isStrongRsa = (key: KeyObject): boolean =>
  key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= RSA_BITS_MIN

export function whyUnreadable(thrown: unknown): string {
  const { code } = thrown as NodeJS.ErrnoException
  return code === 'ENOENT' ? 'does not exist' : `cannot be read (${code ?? 'unknown fault'})`
}
