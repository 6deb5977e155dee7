/** One line of JSON per call: what was asked by its route, never what was in it. */
export type LogEvent = {
  readonly surface: 'ozone-connect' | 'pages' | 'hub-call'
  readonly method: string
  /** The route's template, so that no identifier reaches the log. */
  readonly route: string
  readonly status: number | null
  readonly ms: number
  readonly interactionId: string | null
  /** Why, for a refusal or a failure; words of this program only. */
  readonly reason?: string
}

export type Log = (event: LogEvent) => void

export const printLog =
  (bank: string): Log =>
  (event) => {
    process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), bank, ...event })}\n`)
  }
