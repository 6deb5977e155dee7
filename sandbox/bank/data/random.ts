import { createHash } from 'node:crypto'

/** A repeatable stream: the same keys give the same values for ever. */
export type Random = {
  /** Whole number, both ends included. */
  int(min: number, max: number): number
  pick<T>(list: readonly T[]): T
}

export function createRandom(...keys: readonly string[]): Random {
  const state = new Uint32Array(createHash('sha256').update(keys.join('\n')).digest().buffer.slice(0, 16))
  let [a = 1, b = 2, c = 3, d = 4] = state
  // sfc32: small, quick and with a period far beyond ten thousand draws.
  const next = (): number => {
    const sum = (a + b + d) >>> 0
    d = (d + 1) >>> 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) >>> 0
    c = ((c << 21) | (c >>> 11)) >>> 0
    c = (c + sum) >>> 0
    return sum / 4_294_967_296
  }
  const int = (min: number, max: number) => min + Math.floor(next() * (max - min + 1))
  return {
    int,
    pick: (list) => {
      const item = list[int(0, list.length - 1)]
      if (item === undefined) throw new RangeError('nothing to pick from')
      return item
    },
  }
}
