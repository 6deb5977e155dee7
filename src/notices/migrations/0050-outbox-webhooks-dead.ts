import type { Migration } from '../../db.ts'

/** How many webhooks were given up is asked at every look at the figures; the outbox is mostly what was delivered. */
export const outboxDead: Migration = {
  name: '0050-outbox-webhooks-dead',
  up: async (db) => {
    await db.raw("create index outbox_dead on outbox (id) where state = 'dead'")
  },
}
