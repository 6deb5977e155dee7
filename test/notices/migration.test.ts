/** From a release that delivered nothing to this one: old notices are settled, and the old release goes on queueing. */
import { expect, test } from 'vitest'
import { query } from '../../src/db.ts'
import { migrations } from '../../src/notices/index.ts'
import { createRig } from './support/rig.ts'

const ADDED = [
  'event_id',
  'state',
  'attempts',
  'due_at',
  'claimed_until',
  'revived_at',
  'settled_at',
  'outcome',
] as const

test('what waited before is not sent, and what the previous release queues afterwards is', async () => {
  const rig = await createRig()
  try {
    // As the previous release left it.
    await rig.db.raw(`alter table outbox ${ADDED.map((name) => `drop column ${name}`).join(', ')}`)
    const id = await rig.subscribed()
    await rig.authorize(id)
    for (const migration of migrations) await migration.up(rig.db)
    expect((await rig.rows('tpp-webhook')).map(({ state, outcome }) => [state, outcome])).toEqual([
      ['dropped', 'from before there were deliveries'],
    ])
    expect((await rig.rows('lfi-event')).map(({ state }) => state)).toEqual(['dropped', 'dropped'])
    await rig.suspend(id)
    rig.work()
    await rig.tpp.receiver.until(1)
    await rig.settled('tpp-webhook')
    expect((await rig.rows('tpp-webhook')).map(({ state }) => state)).toEqual(['dropped', 'delivered'])
    const ids = await query<{ event_id: string }>(rig.db, 'select distinct event_id from outbox')
    expect(ids.rowCount).toBe((await rig.rows('tpp-webhook')).length + (await rig.rows('lfi-event')).length)
  } finally {
    await rig.close()
  }
})
