/** So many at a time, so many waiting, and nobody beyond. */
export type Turnstile = { pass<T>(work: () => Promise<T>): Promise<T> }

export function createTurnstile(atOnce: number, waitingMax: number): Turnstile {
  const waiting: (() => void)[] = []
  let inside = 0
  return {
    pass: async (work) => {
      if (inside >= atOnce) {
        if (waiting.length >= waitingMax) throw new Error('too many are waiting for the directory')
        // Who leaves hands its place on, so that nobody slips in between.
        await new Promise<void>((enter) => waiting.push(enter))
      } else {
        inside += 1
      }
      try {
        return await work()
      } finally {
        const next = waiting.shift()
        if (next === undefined) inside -= 1
        else next()
      }
    },
  }
}
