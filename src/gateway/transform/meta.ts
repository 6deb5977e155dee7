/** What an LFI says about the pages of its answer. */
import type { LfiMeta } from '../paging.ts'

const INT32 = 2 ** 31 - 1

export function readMeta(meta: unknown): LfiMeta {
  const { totalPages, paginated } = (typeof meta === 'object' && meta !== null ? meta : {}) as Readonly<
    Record<'totalPages' | 'paginated', unknown>
  >
  return {
    totalPages:
      Number.isInteger(totalPages) && (totalPages as number) >= 0 ? Math.min(totalPages as number, INT32) : null,
    paginated: typeof paginated === 'boolean' ? paginated : null,
  }
}
