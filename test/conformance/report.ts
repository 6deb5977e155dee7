/**
 * CONFORMANCE.md, from what the two lanes found: each module with its result and with what it was seen to catch. Run as
 * a program it writes the file; nothing in it depends on when or where that was.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Duration, Module } from './module.ts'
import { MUTATIONS } from './mutations.ts'
import { PLANS, type Plan, type PlanName } from './plans.ts'
import { found, type ModuleResults, ROOT, sourceDigest, type Verdicts } from './results.ts'

export const REPORT_FILE = join(ROOT, 'CONFORMANCE.md')

const ABOUT: Readonly<Record<PlanName, string>> = {
  cbuae: 'UAE profile: `private_key_jwt`, mutual TLS, signed requests, rich authorization requests.',
  'fapi2-mtls': 'Plain FAPI 2.0: `private_key_jwt`, parameters as they are, tokens bound to the certificate.',
  'fapi2-dpop': 'Plain FAPI 2.0: `private_key_jwt`, parameters as they are, tokens bound to a key, with nonces.',
}
const TAKES: Readonly<Record<Duration, string>> = {
  instant: 'at once',
  seconds: 'until a request_uri of 5 s is over',
  minute: 'until a code of 60 s is over',
}
/** A weakening that breaks more than these is one of the way that all flows have in common. */
const OF_ITS_OWN_MAX = 6

export function render(results: ModuleResults, verdicts: Verdicts): string {
  const killed = MUTATIONS.filter(({ name }) => verdicts[name] === 'killed')
  return [
    '# Conformance',
    '',
    'Every module that the conformance suite of the OpenID Foundation runs on an authorization server of these profiles,',
    'as a test of the same name in `test/conformance`, against the real listeners over real TLS. A module has passed',
    'when the right request was answered rightly, and the same request with one fault was refused with the specified',
    'error and nothing else. The last column is the proof that it can fail: weakenings of the hub, applied one at a time',
    'to a copy of the source, that turned exactly the modules red that they name.',
    '',
    'Written by `npm run conformance`, not by hand.',
    ...PLANS.flatMap((plan) => ['', `## ${plan.name}`, '', ABOUT[plan.name], '', ...table(plan, results)]),
    '',
    '## Weakenings',
    '',
    `${killed.length} of ${MUTATIONS.length} were noticed by exactly the modules that they are about.`,
    '',
    ...rows(['the weakened hub', 'plan', 'modules that turn red', 'result']),
    ...MUTATIONS.map(({ name, plan, breaks }) => row([name, plan, String(breaks.length), verdicts[name] ?? 'not run'])),
    '',
  ].join('\n')
}

function table({ name, modules }: Plan, results: ModuleResults): readonly string[] {
  return [
    ...rows(['module', 'requirements', 'result', 'takes', 'bites']),
    ...modules.map((module) =>
      row([
        `\`${module.id}\``,
        module.requirements.join(', '),
        results[name]?.[module.id] ?? 'not run',
        TAKES[module.duration],
        bites(name, module),
      ]),
    ),
  ]
}

function bites(plan: PlanName, { id, group }: Module): string {
  if (plan !== 'cbuae' && group !== 'DPoP') return 'as for cbuae'
  const all = MUTATIONS.filter((mutation) => mutation.plan === plan && mutation.breaks.includes(id))
  const own = all.filter(({ breaks }) => breaks.length <= OF_ITS_OWN_MAX)
  const common = all.length - own.length
  const shared = `${common} of the common way`
  return [...own.map(({ name }) => name), ...(common === 0 ? [] : [shared])].join('; ')
}

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
const rows = (heads: readonly string[]): readonly string[] => [row(heads), row(heads.map(() => '---'))]

if (import.meta.main) {
  const source = sourceDigest()
  const text = render(found<ModuleResults>('modules', source), found<Verdicts>('mutations', source))
  writeFileSync(REPORT_FILE, text)
  console.log(`written: ${REPORT_FILE}`)
}
