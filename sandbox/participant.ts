/** A participant as a process of its own: `node participant.ts <kind> <settings file>`. */
import { readFileSync } from 'node:fs'
import { startBank } from './bank/bank.ts'
import { startEdge } from './edge/edge.ts'
import { startTpp } from './tpp/app.ts'
import { startTrustFramework } from './trust-framework/server.ts'

const STARTERS: Readonly<Record<string, (settings: never) => Promise<{ close(): Promise<void> }>>> = {
  'trust-framework': startTrustFramework,
  bank: startBank,
  tpp: startTpp,
  edge: startEdge,
}

const [kind, settingsFile] = process.argv.slice(2)
const start = STARTERS[kind ?? '']
if (start === undefined || settingsFile === undefined)
  throw new Error(`usage: participant.ts ${Object.keys(STARTERS).join('|')} <settings file>`)
const participant = await start(JSON.parse(readFileSync(settingsFile, 'utf8')) as never)
process.send?.('ready')
const stop = async () => {
  await participant.close()
  process.exit(0)
}
process.once('SIGTERM', () => void stop())
process.once('SIGINT', () => void stop())
// The orchestrator is gone: nobody would ever stop this process.
process.once('disconnect', () => void stop())
