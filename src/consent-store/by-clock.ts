/** What a consent becomes when it is due: the lapse and the expiry of consent.ts, MOVES, in SQL. */
export const ENDS_AS = `case
  when status = 'AwaitingAuthorization' and authorize_by < expires_at then 'Rejected'
  else 'Expired' end`

/** `atClock` of consent.ts, for a filter; its one binding is the present moment. */
export const STATUS_BY_CLOCK = `case when due_at is null or due_at > ? then status else ${ENDS_AS} end`
