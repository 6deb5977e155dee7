/** Events that banks have sent, as far as a person may see them. Forgotten at a restart, as the list of calls is. */
export type Notice = {
  readonly at: number
  readonly consentId: string
  /** The consent, or a payment under it. */
  readonly about: 'consent' | 'payment'
  /** What it has become. */
  readonly status: string
  readonly from: string
  readonly interactionId: string | null
}
export type Notices = {
  /** False for one that has come before: a hub sends an event until it knows that it has arrived. */
  add(notice: Notice, event: { readonly resource: string; readonly at: string }): boolean
  of(consentIds: readonly string[]): readonly Notice[]
}

const KEPT_MAX = 500

export function createNotices(): Notices {
  const kept = new Map<string, Notice>()
  return {
    add: (notice, event) => {
      const key = `${event.resource} ${event.at}`
      if (kept.has(key)) return false
      kept.set(key, notice)
      const [oldest] = kept.keys()
      if (kept.size > KEPT_MAX && oldest !== undefined) kept.delete(oldest)
      return true
    },
    of: (consentIds) => [...kept.values()].filter(({ consentId }) => consentIds.includes(consentId)),
  }
}
