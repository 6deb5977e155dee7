/** How much is at work at the same time. What is beyond it is told to come back, before anything is computed for it. */
export type Capacity = {
  /** Null: full. Otherwise to be called once, when the place is free again. */
  take(): (() => void) | null
}

/** `within`: a larger whole, whose places these are as well. */
export function createCapacity(max: number, within?: Capacity): Capacity {
  let taken = 0
  return {
    take() {
      if (taken >= max) return null
      const outer = within?.take()
      if (outer === null) return null
      taken += 1
      return () => {
        taken -= 1
        outer?.()
      }
    },
  }
}
