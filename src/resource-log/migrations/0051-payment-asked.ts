import type { Migration } from '../../db.ts'

/** When the hub last asked the LFI about a payment that waits; the previous release never asks. */
export const paymentAsked: Migration = {
  name: '0051-payment-asked',
  up: async (db) => {
    await db.raw(`
      alter table payment_log add column asked_at timestamptz;
      create index payment_log_waiting on payment_log (made_at) where status = 'Pending';
    `)
  },
}
