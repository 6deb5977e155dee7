import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  auditLag,
  createReceiptOffice,
  createWitnessing,
  createWitnessState,
  parseVerifierKey,
  startWitness,
  verifyExport,
  type Witness,
  type WitnessEndpoint,
} from '../../src/audit/index.ts'
import { signerFromPem } from '../../src/audit/note/key.ts'
import { verifyReceipts } from '../../src/audit/verifier/falaj-verify.ts'
import { systemClock } from '../../src/clock.ts'
import { blockIn, typeIn } from '../docs/guide.ts'
import { type AuditLog, newAuditKey, openAuditLog, silent } from '../support/audit-log.ts'
import { freePort } from '../support/free-port.ts'
import { ENTRIES } from '../unit/audit/entries.ts'

let log: AuditLog
const opened: Witness[] = []
beforeEach(async () => {
  log = await openAuditLog()
})
afterEach(async () => {
  for (const witness of opened.splice(0)) await witness.close()
  await log.close()
})

async function openWitness(name: string): Promise<WitnessEndpoint> {
  const signer = signerFromPem(`witness.example/${name}`, 'cosignature', newAuditKey().reveal())
  const stateFile = join(log.folder, `${name}.json`)
  await createWitnessState(stateFile)
  const key = parseVerifierKey(log.publicKey)
  if (key === null) throw new Error('a key')
  const witness = await startWitness(
    { address: '127.0.0.1', port: 0, tls: null, signer, stateFile, logs: [key] },
    { clock: systemClock, log: silent },
  )
  opened.push(witness)
  return { key: signer.verifier, url: `http://127.0.0.1:${witness.port}/`, ca: null }
}
const witnessingOf = (witnesses: readonly WitnessEndpoint[]) =>
  createWitnessing({ db: log.db, witnesses, clock: systemClock, log: silent, intervalMs: 10 })

test('every checkpoint that is submitted comes back cosigned, by each witness, from whatever size it knew', async () => {
  const witnesses = [await openWitness('a'), await openWitness('b')]
  const [, late] = witnesses as [WitnessEndpoint, WitnessEndpoint]
  for (const count of [3, 300, 1]) {
    await log.record(count)
    await log.seal()
    await witnessingOf(count === 1 ? witnesses : witnesses.slice(0, 1)).submitNow()
  }
  await witnessingOf(witnesses).submitNow()
  expect(await log.count('audit_cosignature')).toBe(4)
  const policy = `log ${log.publicKey}\nwitness a ${witnesses[0]?.key.text}\nwitness b ${late.key.text}\ngroup both all a b\nquorum both\n`
  const made = await log.export('cosigned', {}, { witnesses } as never)
  expect(verifyExport(made.path, { policy })).toMatchObject({
    ok: true,
    isQuorumMet: true,
    witnesses: [{ name: 'a' }, { name: 'b' }],
  })
})

test('the policy of the guide for regulators is met by two witnesses, and not when both are others', async () => {
  const witnesses = [await openWitness('bank'), await openWitness('tpp')]
  await log.record(3)
  await log.seal()
  await witnessingOf(witnesses).submitNow()
  await log.export('aurora-audit', {}, { witnesses } as never)
  copyFileSync('src/audit/verifier/falaj-verify.ts', join(log.folder, 'falaj-verify.ts'))
  const policy = blockIn('docs/regulator.md', 'log falaj/aurora+')
  const command = blockIn('docs/regulator.md', 'node falaj-verify.ts aurora-audit --policy')
  const judge = async (keys: readonly string[]): Promise<string> => {
    const left = [log.publicKey, ...keys]
    writeFileSync(
      join(log.folder, 'policy.txt'),
      policy.replaceAll(/\S+\+…/g, () => left.shift() ?? expect.fail()),
    )
    expect(left).toEqual([])
    return typeIn(log.folder, {}, command).catch((error: Error) => error.message)
  }
  const [bank, tpp] = witnesses.map(({ key }) => key.text)
  const [other, stranger] = [await openWitness('other'), await openWitness('stranger')].map(({ key }) => key.text)
  expect(await judge([bank ?? '', tpp ?? ''])).toMatch(/^VERIFIED: audit log falaj\/aurora/)
  expect(await judge([other ?? '', tpp ?? ''])).toMatch(/^VERIFIED/)
  expect(await judge([other ?? '', stranger ?? ''])).toMatch(/^status 1\nNOT VERIFIED/)
})

test('how far log and witnesses are behind is told in seconds, of the witness furthest behind', async () => {
  const [prompt, late] = [await openWitness('a'), await openWitness('b')]
  const lag = () => auditLag(log.db, [prompt, late])
  expect(await lag()).toEqual({ pending: 0, pendingSeconds: 0, witnessSeconds: 0 })
  await log.record(3)
  expect(await lag()).toMatchObject({ pending: 3, witnessSeconds: 0 })
  expect((await lag()).pendingSeconds).toBeGreaterThan(0)
  await log.seal()
  await log.tamper("update audit_checkpoint set signed_at = signed_at - interval '1 hour'")
  await witnessingOf([prompt]).submitNow()
  expect(await lag()).toMatchObject({ pending: 0, pendingSeconds: 0 })
  expect((await lag()).witnessSeconds).toBeGreaterThan(3_599)
  expect((await auditLag(log.db, [prompt])).witnessSeconds).toBe(0)
  await witnessingOf([late]).submitNow()
  expect((await lag()).witnessSeconds).toBe(0)
  expect((await auditLag(log.db, [])).witnessSeconds).toBe(0)
})

test('a lost record of a cosignature is no harm: the witness says where it stands', async () => {
  const witness = await openWitness('a')
  await log.record(5)
  await log.seal()
  await witnessingOf([witness]).submitNow()
  await log.tamper('delete from audit_cosignature')
  await witnessingOf([witness]).submitNow()
  await log.record(5)
  await log.seal()
  await log.tamper('delete from audit_cosignature')
  await witnessingOf([witness]).submitNow()
  expect(await log.count('audit_cosignature')).toBe(1)
})

test('a witness that is down delays nobody and is counted; it is asked again by itself', async () => {
  const up = await openWitness('up')
  const port = await freePort()
  const down: WitnessEndpoint = {
    key: signerFromPem('witness.example/down', 'cosignature', newAuditKey().reveal()).verifier,
    url: `http://127.0.0.1:${port}`,
    ca: null,
  }
  const witnessing = witnessingOf([down, up])
  await log.record(1)
  await log.seal()
  witnessing.start()
  await expect.poll(() => log.count('audit_cosignature'), { timeout: 5_000 }).toBe(1)
  await log.record(1)
  expect(await log.seal()).toBe(1)
  await expect.poll(() => log.count('audit_cosignature'), { timeout: 5_000 }).toBe(2)
  await witnessing.stop()
  expect(witnessing.counts().get('witness.example/up')).toMatchObject({ cosigned: 2, failed: 0 })
  expect(witnessing.counts().get('witness.example/down')?.failed).toBeGreaterThan(0)
})

test('what a stranger signs in the place of the witness is not kept', async () => {
  const real = await openWitness('a')
  const other = signerFromPem('witness.example/a', 'cosignature', newAuditKey().reveal()).verifier
  await log.record(1)
  await log.seal()
  const witnessing = witnessingOf([{ ...real, key: other }])
  await witnessing.submitNow()
  expect([await log.count('audit_cosignature'), witnessing.counts().get('witness.example/a')?.failed]).toEqual([0, 1])
})

describe('receipts', () => {
  const { interactionId } = ENTRIES['tpp-call']
  const id = interactionId as NonNullable<typeof interactionId>
  const office = () => createReceiptOffice({ db: log.db })

  test('carry the cosigned checkpoint, the entry and its values, and verify offline', async () => {
    const witness = await openWitness('a')
    await log.record(300)
    await log.audit.record(ENTRIES['tpp-call'], ENTRIES['lfi-call'])
    expect(await office().find(id, { of: 'everything' })).toMatchObject({ pending: 2, receipts: [] })
    await log.seal()
    await witnessingOf([witness]).submitNow()
    const receipts = await office().find(id, { of: 'everything' })
    const policy = `log ${log.publicKey}\nwitness a ${witness.key.text}\nquorum a\n`
    const verdicts = verifyReceipts(JSON.stringify(receipts), { policy })
    expect(verdicts).toMatchObject([
      {
        ok: true,
        index: 302,
        isQuorumMet: true,
        entry: { kind: 'tpp-call' },
        opened: { consentId: ENTRIES['tpp-call'].consentId },
      },
      { ok: true, index: 303, entry: { kind: 'lfi-call' } },
    ])
    // Somebody who has only one of them, as a file, and the key.
    const [first] = receipts?.receipts ?? []
    expect(verifyReceipts(first?.proof ?? '', { key: log.publicKey })).toMatchObject([{ ok: true, size: 304 }])
  })

  test('show a TPP what it did itself, and nothing of anybody else', async () => {
    const { clientId } = ENTRIES['tpp-call']
    await log.audit.record(
      ENTRIES['tpp-call'],
      ENTRIES['lfi-call'],
      ENTRIES['consent-changed'],
      ENTRIES['authorization-step'],
    )
    await log.seal()
    const own = await office().find(id, { of: 'client', clientId: clientId as NonNullable<typeof clientId> })
    expect(own?.receipts.map(({ kind }) => kind)).toEqual(['tpp-call', 'authorization-step'])
    const other = '99999999-2222-4333-8444-555555555555' as NonNullable<typeof clientId>
    expect(await office().find(id, { of: 'client', clientId: other })).toBeNull()
    expect(await office().find(crypto.randomUUID() as never, { of: 'everything' })).toBeNull()
  })

  test('in which one thing was changed are refused', async () => {
    await log.record(20)
    await log.audit.record(ENTRIES['tpp-call'])
    await log.seal()
    const proof = (await office().find(id, { of: 'everything' }))?.receipts[0]?.proof ?? ''
    const judge = (text: string, key = log.publicKey) => verifyReceipts(text, { key })[0]
    const extra = (change: (text: string) => string): string =>
      proof.replace(/^extra (\S+)$/m, (_all, encoded: string) => {
        const raw = JSON.parse(Buffer.from(encoded, 'base64').toString()) as {
          entry: string
          openings: { value: string; salt: string }[]
        }
        return `extra ${Buffer.from(change(JSON.stringify({ ...raw, entry: Buffer.from(raw.entry, 'base64').toString() }))).toString('base64')}`
      })
    const entryBack = (text: string): string => {
      const raw = JSON.parse(text) as { entry: string }
      return JSON.stringify({ ...raw, entry: Buffer.from(raw.entry).toString('base64') })
    }
    expect(judge(proof)?.ok).toBe(true)
    expect(judge(extra(entryBack))?.ok).toBe(true)
    const CASES: readonly [string, string, RegExp][] = [
      [
        'status of the entry',
        extra((text) => entryBack(text.replace('\\"status\\":200', '\\"status\\":201'))),
        /does not lead/,
      ],
      ['value', extra((text) => entryBack(text.replace('0d8f1c7e', '0d8f1c7f'))), /do not open/],
      ['salt', extra((text) => entryBack(text.replace(/"salt":".{4}/, '"salt":"AAAA'))), /do not open/],
      ['index', proof.replace(/^index 22$/m, 'index 21'), /does not lead/],
      ['index beyond the tree', proof.replace(/^index 22$/m, 'index 23'), /does not lead/],
      ['path shortened', proof.replace(/^(index 22)\n\S+/m, '$1'), /does not lead/],
      ['checkpoint', proof.replace('\n23\n', '\n24\n'), /did not sign/],
      ['magic', proof.replace('@v1', '@v2'), /no proof/],
      ['no extra', proof.replace(/^extra \S+\n/m, ''), /no proof/],
    ]
    for (const [name, text, reason] of CASES) {
      expect(text, name).not.toBe(proof)
      expect(judge(text)?.firstBad?.reason, name).toMatch(reason)
    }
    const stranger = signerFromPem('falaj/aurora', 'log', newAuditKey().reveal()).verifier.text
    expect(judge(proof, stranger)?.firstBad?.reason).toMatch('did not sign')
  })
})
