/**
 * An export as a process of its own, so that the memory it tells of is that of the export and of nothing else:
 * `node audit-export.ts <database url> <key file> <folder>`.
 */
import { readFileSync } from 'node:fs'
import { exportLog } from '../../src/audit/index.ts'
import { systemClock } from '../../src/clock.ts'
import { openDatabase } from '../../src/db.ts'
import type { TenantId } from '../../src/ids.ts'
import { createLog } from '../../src/log.ts'
import { Secret } from '../../src/secret.ts'

const LOOK_EVERY_MS = 10
const [url = '', keyFile = '', path = ''] = process.argv.slice(2)
const db = openDatabase({ url: new Secret(url), poolMax: 2, applicationName: 'bench-export' })
let mostBytes = 0
const look = setInterval(() => {
  mostBytes = Math.max(mostBytes, process.memoryUsage.rss())
}, LOOK_EVERY_MS)
const began = performance.now()
const deps = { db, tenantId: 'aurora' as TenantId, key: new Secret(readFileSync(keyFile, 'utf8')), clock: systemClock }
const { size } = await exportLog(
  { ...deps, log: createLog({ level: 'silent', name: 'bench' }) },
  { path, openings: true },
)
const seconds = (performance.now() - began) / 1_000
clearInterval(look)
await db.destroy()
console.log(JSON.stringify({ size, seconds, mostBytes }))
