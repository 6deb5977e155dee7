/** `atClock` of consent.ts, for a filter; its one binding is the present moment. */
export const STATUS_BY_CLOCK = `case
  when due_at is null or due_at > ? then status
  when status = 'AwaitingAuthorization' and authorize_by < expires_at then 'Rejected'
  else 'Expired' end`
