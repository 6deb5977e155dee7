/** `npm run reference -- --out folder`: the API reference as files, for any server of static pages. */
import { parseArgs } from 'node:util'
import { writeReference } from './pages.ts'

const { out } = parseArgs({ options: { out: { type: 'string' } } }).values
if (out === undefined) {
  console.error('say where to: npm run reference -- --out folder')
  process.exit(1)
}
console.log(`${writeReference(out)} files in ${out}`)
