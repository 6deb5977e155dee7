import type { Migration } from '../../db.ts'

/** Payments that the LFI has not answered for are few, and are looked for by whoever has to settle them. */
export const paymentOpen: Migration = {
  name: '0053-payment-open',
  up: async (db) => {
    await db.raw("create index payment_log_open on payment_log (id) where state = 'open'")
  },
}
