import type { Migration } from '../../db.ts'

/** What the LFI says about the status of a quote, which its own answers have no place for (lfi-api 3.11). */
export const quoteWords: Migration = {
  name: '0056-quote-words',
  up: async (db) => {
    await db.raw(`
      alter table service_request add column status_words text check (length(status_words) between 1 and 1000);
    `)
  },
}
