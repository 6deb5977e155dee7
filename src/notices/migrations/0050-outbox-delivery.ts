import type { Migration } from '../../db.ts'

/**
 * What becomes of a notice. Nothing was delivered before this: what waits from then is old news to everybody, and is
 * settled unsent. The previous release goes on inserting rows, which the defaults make ones that wait.
 */
export const outboxDelivery: Migration = {
  name: '0050-outbox-delivery',
  up: async (db) => {
    await db.raw(`
alter table outbox
  add column event_id uuid not null default gen_random_uuid(),
  add column state text not null default 'waiting'
    check (state in ('waiting', 'sending', 'delivered', 'failed', 'dropped', 'dead')),
  add column attempts integer not null default 0,
  add column due_at timestamptz,
  add column claimed_until timestamptz,
  add column revived_at timestamptz,
  add column settled_at timestamptz,
  add column outcome text,
  add constraint outbox_claimed check ((state = 'sending') = (claimed_until is not null)),
  add constraint outbox_settled check ((state in ('waiting', 'sending')) = (settled_at is null));
update outbox set state = 'dropped', settled_at = at, outcome = 'from before there were deliveries';
create index outbox_open on outbox (kind, consent_id, id) where state in ('waiting', 'sending');
create index outbox_settled_at on outbox (settled_at) where settled_at is not null;
`)
  },
}
