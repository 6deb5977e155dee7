import type { Migration } from '../../db.ts'

/**
 * What has been paid under a consent, kept for each day, so that judging its payment number 5,000 reads what judging
 * number 5 does. Written by the database itself, with the payment: the release before this one counts as well while it
 * is still running. What counts is said in one function, for the trigger and for payments from before: a payment that
 * was refused or rejected does not; `certain` are those that can no longer be rejected. A payment of a file names the
 * sum of the file, or is for the one of its consent; every part of a file is in dirhams.
 *
 * Numbers stay when payments are destroyed by policy: they are what the limits of the consent are held against.
 */
export const paymentTally: Migration = {
  name: '0052-payment-tally',
  up: async (db) => {
    await db.raw(`
      create table payment_tally (
        consent_id text not null references consent (id),
        day date not null,
        currency text not null,
        of_single_amount boolean not null,
        number integer not null check (number >= 0),
        value numeric not null check (value >= 0),
        certain_number integer not null,
        certain_value numeric not null check (certain_value between 0 and value),
        primary key (consent_id, day, currency, of_single_amount),
        check (certain_number between 0 and number)
      );

      create function payment_weight(
        of payment_log, out day date, out currency text, out of_single_amount boolean,
        out amount numeric, out counts integer, out is_certain integer
      ) language plpgsql stable as $$
      declare
        said json := of.request_body #> '{Data,Instruction}';
        agreed json := (select request #> '{consent,ControlParameters,ConsentSchedule}' from consent where id = of.consent_id);
        single json := agreed #> '{SinglePayment,Amount}';
      begin
        day := (of.created_at at time zone 'Asia/Dubai')::date;
        currency := coalesce(said #>> '{Amount,Currency}', 'AED');
        amount := coalesce(said #>> '{Amount,Amount}', said ->> 'ControlSum', agreed #>> '{FilePayment,ControlSum}', '0.00');
        of_single_amount := coalesce(
          agreed -> 'MultiPayment' is not null and currency = single ->> 'Currency'
            and amount = (single ->> 'Amount')::numeric, false);
        counts := (of.state <> 'refused' and of.status is distinct from 'Rejected')::integer;
        is_certain := (counts = 1 and coalesce(of.status <> 'Pending', false))::integer;
      end $$;

      create function payment_tally_new() returns trigger language plpgsql as $$
      begin
        insert into payment_tally as known
          select new.consent_id, w.day, w.currency, w.of_single_amount,
            w.counts, w.counts * w.amount, w.is_certain, w.is_certain * w.amount
          from payment_weight(new) as w
          on conflict (consent_id, day, currency, of_single_amount) do update set
            number = known.number + excluded.number, value = known.value + excluded.value,
            certain_number = known.certain_number + excluded.certain_number,
            certain_value = known.certain_value + excluded.certain_value;
        return null;
      end $$;
      create function payment_tally_changed() returns trigger language plpgsql as $$
      begin
        update payment_tally as known set
          number = known.number + n.counts - o.counts,
          value = known.value + (n.counts - o.counts) * n.amount,
          certain_number = known.certain_number + n.is_certain - o.is_certain,
          certain_value = known.certain_value + (n.is_certain - o.is_certain) * n.amount
        from payment_weight(old) as o, payment_weight(new) as n
        where known.consent_id = new.consent_id and known.day = n.day and known.currency = n.currency
          and known.of_single_amount = n.of_single_amount
          and (n.counts, n.is_certain) is distinct from (o.counts, o.is_certain);
        return null;
      end $$;

      lock table payment_log in share row exclusive mode;
      create trigger payment_tally_new after insert on payment_log
        for each row execute function payment_tally_new();
      create trigger payment_tally_changed after update on payment_log
        for each row when (old.state is distinct from new.state or old.status is distinct from new.status)
        execute function payment_tally_changed();
      insert into payment_tally
        select p.consent_id, w.day, w.currency, w.of_single_amount,
          sum(w.counts), sum(w.counts * w.amount), sum(w.is_certain), sum(w.is_certain * w.amount)
        from payment_log as p, payment_weight(p) as w
        group by p.consent_id, w.day, w.currency, w.of_single_amount;
    `)
  },
}
