import { describe, expect, test } from 'vitest'
import { saveChange } from '../../src/consent-store/save-change.ts'
import { inTransaction } from '../../src/db.ts'
import type { InteractionId } from '../../src/ids.ts'
import { codeOf, storeForEachTest } from '../unit/consent-store/fixture.ts'
import { CLIENT, LFI, lfiPatch, newInteractionId, TPP } from '../unit/consent-store/support.ts'

const given = storeForEachTest()

describe('at once', () => {
  test('eight patches of one consent are made one after another', async () => {
    const id = await given.hub.authorized()
    const patch = (at: number) => given.hub.store.patchByLfi(id, lfiPatch({ supplementaryInformation: { at } }), LFI)
    await Promise.all(Array.from({ length: 8 }, (_, at) => patch(at)))
    const { trail } = await given.hub.traces(id)
    expect(trail.map((row) => row['revision'])).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  })

  test('of suspension and revocation one order is kept, and the end wins', async () => {
    for (let round = 0; round < 10; round += 1) {
      const id = await given.hub.authorized()
      const answers = await Promise.all([
        codeOf(given.hub.store.patchByLfi(id, lfiPatch({ status: 'Suspended' }), LFI)),
        codeOf(given.hub.store.patchByTpp(id, CLIENT, { status: 'Revoked' }, TPP)),
      ])
      expect(answers[1]).toBe('done')
      expect(['done', '400 Consent.BusinessRuleViolation']).toContain(answers[0])
      expect((await given.hub.store.find(id))?.status).toBe('Revoked')
    }
  })

  test('a journey is completed by exactly one of eight', async () => {
    const id = await given.hub.lodge()
    const interactionId = newInteractionId()
    await given.hub.store.linkInteraction(id, interactionId, LFI)
    const claim = (by: InteractionId) => inTransaction(given.db, (tx) => given.hub.store.claimCompletion(tx, id, by))
    expect(await claim(newInteractionId())).toBe(false)
    const claims = await Promise.all(Array.from({ length: 8 }, () => claim(interactionId)))
    expect(claims.filter(Boolean)).toHaveLength(1)
    expect(await claim(interactionId)).toBe(false)
    expect(await codeOf(given.hub.store.linkInteraction(id, newInteractionId(), LFI))).toBe(
      '400 Consent.BusinessRuleViolation',
    )
  })

  test('a claim that is rolled back is not one', async () => {
    const id = await given.hub.lodge()
    const interactionId = newInteractionId()
    await given.hub.store.linkInteraction(id, interactionId, LFI)
    const failed = inTransaction(given.db, async (tx) => {
      expect(await given.hub.store.claimCompletion(tx, id, interactionId)).toBe(true)
      throw new Error('undone')
    })
    await expect(failed).rejects.toThrow('undone')
    expect(await inTransaction(given.db, (tx) => given.hub.store.claimCompletion(tx, id, interactionId))).toBe(true)
  })

  test('a consent is saved on the revision that was read, and on no other', async () => {
    const id = await given.hub.authorized()
    const consent = await given.hub.store.find(id)
    if (consent === null) throw new Error('lodged a moment ago')
    const next = { ...consent, isLargeCorporate: true, revision: consent.revision + 1 }
    const trail = { consent: next, from: consent.status, change: 'patched', patch: {}, caller: LFI } as const
    const saved = (revision: number) =>
      inTransaction(given.db, (tx) =>
        saveChange(tx, { before: { ...consent, revision }, consent: next, trail, notices: [], channel: 'c' }),
      )
    expect(await saved(consent.revision - 1)).toBe(false)
    expect(await saved(consent.revision)).toBe(true)
    expect(await saved(consent.revision)).toBe(false)
  })

  test('a change that meets another twice asks for a repetition', async () => {
    const id = await given.hub.authorized()
    // Stands for a writer that does not lock: the row is another one by the time it is saved.
    await given.db.raw(`
      create sequence tries;
      create function elsewhere() returns trigger language plpgsql as $$
      begin perform nextval('tries'); return null; end $$;
      create trigger elsewhere before update on consent for each row execute function elsewhere()`)
    const before = await given.hub.traces(id)
    const patch = lfiPatch({ status: 'Suspended' })
    expect(await codeOf(given.hub.store.patchByLfi(id, patch, LFI))).toBe('500 GenericRecoverableError')
    expect((await given.db.raw('select last_value from tries')).rows).toEqual([{ last_value: '2' }])
    await given.db.raw('drop trigger elsewhere on consent; drop function elsewhere; drop sequence tries')
    expect(await given.hub.traces(id)).toEqual(before)
    expect(await codeOf(given.hub.store.patchByLfi(id, patch, LFI))).toBe('done')
  })
})
