/** What the pages tell an operator to write into files is read by what reads those files. */
import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { auditPublicKey, createWitnessState, loadWitnessConfig, startWitness } from '../../src/audit/index.ts'
import { systemClock } from '../../src/clock.ts'
import { loadConfig } from '../../src/config.ts'
import { Secret } from '../../src/secret.ts'
import { createAuthority } from '../gateway/support/pki.ts'
import { silent } from '../support/audit-log.ts'
import { type ConfigFiles, EXAMPLE_ENV, pem, writeConfigFiles } from '../support/config-files.ts'
import { freePort } from '../support/free-port.ts'
import { aurora } from '../unit/audit/entries.ts'
import { blockIn } from './guide.ts'

let files: ConfigFiles
beforeAll(async () => {
  files = await writeConfigFiles()
})
afterAll(() => files.close())

/** Members of an object, as they stand in a file between others. */
const members = (block: string): Record<string, unknown> => JSON.parse(`{${block}}`) as Record<string, unknown>
const ed25519 = (): string => pem(generateKeyPairSync('ed25519').privateKey)

test('times and connections of calls to an LFI', () => {
  const tenant = files.tenant()
  const told = members(blockIn('docs/operations/lfi-calls.md', '"timeoutMs"'))
  files.write({ tenant: { ...tenant, lfi: { ...(tenant['lfi'] as object), ...told } } })
  const [{ lfi } = expect.fail()] = loadConfig(files.deploymentFile, { env: EXAMPLE_ENV }).tenants
  expect(JSON.stringify(lfi)).toContain('"getStatementsByAccountId":8000')
  const wrong = { ...told, budgets: { reads: { timeoutMs: 3000 } } }
  files.write({ tenant: { ...tenant, lfi: { ...(tenant['lfi'] as object), ...wrong } } })
  expect(() => loadConfig(files.deploymentFile, { env: EXAMPLE_ENV })).toThrow(/budgets/)
})

test('the collector of traces', async () => {
  const told = members(blockIn('docs/operations/tracing.md', '"tracing"'))
  writeFileSync(join(files.folder, 'keys/collector-ca.pem'), (await createAuthority('Collector')).certificate)
  files.write({ deployment: { ...files.deployment(), ...told } })
  const env = { ...EXAMPLE_ENV, COLLECTOR_AUTHORIZATION: 'Bearer 1' }
  expect(loadConfig(files.deploymentFile, { env }).tracing).toMatchObject({ ratio: 0.05 })
  expect(() => loadConfig(files.deploymentFile, { env: EXAMPLE_ENV })).toThrow(/COLLECTOR_AUTHORIZATION/)
})

test('a witness', async () => {
  const authority = await createAuthority('Witness')
  const { certificate, key } = await authority.issue({ O: 'Witness', dns: 'localhost' })
  const put = (name: string, text: string) => writeFileSync(join(files.folder, name), text)
  put('witness.key.pem', ed25519())
  put('server.pem', certificate)
  put('server.key.pem', key)
  const port = await freePort()
  const told = blockIn('docs/audit/format.md', '{')
  const config = told
    .replace('falaj/aurora+…', auditPublicKey(aurora, new Secret(ed25519())))
    .replace('8444', `${port}`)
  put('witness.json', config)
  const loaded = loadWitnessConfig(join(files.folder, 'witness.json'))
  await createWitnessState(loaded.stateFile)
  const witness = await startWitness(loaded, { clock: systemClock, log: silent })
  expect(witness.port).toBe(port)
  await witness.close()
})
