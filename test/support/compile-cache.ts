/**
 * For every process that a test starts: the hub's modules are taken apart the first time, and not the some hundred times
 * after it. By path and content, so that nobody meets the modules of another checkout.
 */
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const COMPILE_CACHE = { NODE_COMPILE_CACHE: join(tmpdir(), 'falaj-compile-cache') } as const
