/**
 * Each act of the portal as somebody does it on a page: who, where, what they write, and what is different then, in the
 * database and in the audit log. An act of roles.ts without a row here does not compile. The order is that in which
 * they are done one after the other: where `given` sets nothing up, the act before it has.
 */
import { expect } from 'vitest'
import type { ActName } from '../../../src/portal/roles.ts'
import type { Scene } from './scene.ts'
import { personNamed } from './world.ts'

/** What stands in a field, by its label. */
export type Filled = readonly (readonly [label: string, value: string])[]

export type Row = {
  readonly by: string
  /** Where its form is. */
  readonly at: string
  /** So that there is something to do it to. */
  readonly given?: () => Promise<unknown>
  /** What the button says besides the name of the act, where a page may have several. */
  readonly about?: () => Promise<string>
  /** What has to be opened first. */
  readonly behind?: string
  readonly filled?: Filled
  /** Written before, and not taken: what is said of it. The rest is as in `filled`, and stays. */
  readonly mistaken?: { readonly filled: Filled; readonly said: RegExp }
  /** Proposed by the one, and done when this one approves. */
  readonly approvedBy?: string
  /** Without a mouse; or on a phone. */
  readonly how?: 'keyboard' | 'phone'
  /** It leads out of the portal. */
  readonly leavesOut?: true
  readonly state: () => Promise<unknown>
  readonly from: unknown
  readonly to: unknown
  readonly log: Readonly<Record<string, unknown>>
}

export const EVERY_ACT: Readonly<Record<ActName, (scene: Scene) => Row>> = {
  'proposal.reject': ({ decided, stage, language }) => ({
    ...decided('reject'),
    by: 'jamal',
    given: async () => {
      await stage.steps('inactive')
      await stage.proposal(`reject ${language}`, 'sara')
    },
    from: ['waiting', 'inactive'],
    to: ['rejected', 'inactive'],
    log: { act: 'tpps.block-all', outcome: 'rejected', target: null, proposal: expect.any(String) },
  }),
  'proposal.approve': ({ decided, blocked, stage, language }) => ({
    ...decided('approve'),
    by: 'saif',
    given: () => stage.proposal(`approve ${language}`, 'sara'),
    from: ['waiting', 'inactive'],
    to: ['done', 'blocked'],
    log: { act: 'tpps.block-all', outcome: 'approved', proposal: expect.any(String), ...blocked },
  }),
  'tpp.activate': ({ activate, tpp }) => ({ ...activate('tpp', 'tpp', tpp), from: 'blocked' }),
  'statement.activate': ({ activate, statement }) => ({
    ...activate('software-statement', 'software_statement', statement),
    from: 'inactive',
  }),
  'client.activate': ({ activate, client }) => ({ ...activate('client', 'client', client), from: 'inactive' }),
  'client.block': ({ block, client }) => ({ ...block('client', 'client', client), by: 'saif' }),
  'statement.block': ({ block, statement }) => ({
    ...block('software-statement', 'software_statement', statement),
    by: 'jamal',
  }),
  'tpp.block': ({ block, tpp }) => ({ ...block('tpp', 'tpp', tpp), by: 'saif' }),
  'tpps.block-all': ({ blocked, tppStatus, stage }) => ({
    by: 'saif',
    at: '/tpps',
    given: () => stage.steps('inactive'),
    approvedBy: 'jamal',
    how: 'keyboard',
    state: tppStatus,
    from: 'inactive',
    to: 'blocked',
    log: blocked,
  }),
  'consent.revoke': ({ words, consent, stood, revision, value }) => ({
    by: 'bushra',
    at: `/consents/${consent}`,
    behind: words.consents.end,
    filled: [[words.consents.wantedBy, words.consents.wanted['LFI.InitiatedByUser']]],
    how: 'phone',
    state: () => value('select status from consent where id = ?', consent),
    from: stood,
    to: 'Revoked',
    log: {
      target: consent,
      before: `${stood}, revision ${revision}`,
      after: `Revoked, revision ${revision + 1}`,
    },
  }),
  'outage.end': ({ outages, lasting, value }) => ({
    by: 'jamal',
    at: '/outages',
    given: async () => {
      await value('delete from outage')
      await value(
        `insert into outage values (gen_random_uuid(), 'lfi', 'unplanned', now() - interval '1 hour', null, 'a storm', now())`,
      )
    },
    about: async () => 'a storm',
    state: outages,
    from: ['unplanned lfi a storm'],
    to: [],
    log: { target: expect.any(String), before: lasting(1), after: lasting(0) },
  }),
  'outage.begin': ({ outages, lasting, subjectAndReason }) => ({
    by: 'jamal',
    at: '/outages',
    filled: subjectAndReason('hub', 'a cable'),
    state: outages,
    from: [],
    to: ['unplanned hub a cable'],
    log: { target: 'outage of hub', before: lasting(0), after: lasting(1) },
  }),
  'outage.plan': ({ subjectAndReason, outages, lasting, night, planned }) => ({
    by: 'bushra',
    at: '/outages',
    mistaken: { filled: planned('12:00', '13:00'), said: /between 02:00 and 05:00/ },
    filled: [...subjectAndReason('lfi', 'maintenance'), ...planned('02:30', '04:30')],
    state: outages,
    from: ['unplanned hub a cable'],
    to: ['unplanned hub a cable', 'planned lfi maintenance'],
    log: {
      target: `planned outage of lfi ${night}T02:30 ${night}T04:30`,
      before: lasting(1),
      after: lasting(2),
    },
  }),
  'keys.retire': ({ isNext, stage }) => ({
    by: 'sara',
    at: '/keys',
    given: stage.nextKey,
    about: stage.nextKey,
    approvedBy: 'saif',
    state: async () => (await isNext()).length,
    from: 1,
    to: 0,
    log: { target: expect.any(String), before: 'next', after: null },
  }),
  'keys.rotate': ({ keys, isNext }) => ({
    by: 'saif',
    at: '/keys',
    about: async () => keys.uses.sig,
    approvedBy: 'sara',
    state: async () => (await isNext()).length,
    from: 0,
    to: 1,
    log: {
      target: 'sig',
      before: expect.not.stringContaining('next '),
      after: expect.stringMatching(/active .*next |next .*active /),
    },
  }),
  'audit.verify': ({ turn, value }) => ({
    by: 'jamal',
    at: '/audit',
    state: () => value('select count(*)::int from portal_verification'),
    from: turn,
    to: turn + 1,
    log: { target: null, before: ['never verified', 'verified'][turn], after: expect.stringContaining('verified') },
  }),
  'webhook.redeliver': ({ letter, value }) => ({
    by: 'jamal',
    at: '/webhooks',
    given: letter,
    about: letter,
    state: async () => value(`select state = 'dead' from outbox where id = ?`, await letter()),
    from: true,
    to: false,
    log: { target: expect.any(String), before: 'dead', after: expect.not.stringContaining('dead') },
  }),
  'lfi.probe': ({ value, column }) => ({
    by: 'jamal',
    at: '/lfi',
    given: () => value('delete from portal_probe'),
    state: () => column('select path from portal_probe where ok order by path'),
    from: [],
    to: ['/hello', '/hello-mtls'],
    log: { target: null, before: 'never probed', after: '/hello answers, /hello-mtls answers' },
  }),
  'lfi.endpoint-reset': ({ address, endpoint, stage, first, second }) => ({
    by: 'jamal',
    at: '/lfi',
    given: stage.moved,
    about: async () => endpoint,
    approvedBy: 'saif',
    state: address,
    from: second.url,
    to: null,
    log: { target: 'ozone-connect', before: `stored ${second.url}`, after: `file ${first.url}` },
  }),
  'lfi.endpoint': ({ address, endpoint, first, second, lfi }) => ({
    by: 'saif',
    at: '/lfi',
    about: async () => endpoint,
    mistaken: { filled: [[lfi.newAddress(endpoint), `${second.url}/x`]], said: /did not pass its trial/ },
    filled: [[lfi.newAddress(endpoint), second.url]],
    approvedBy: 'jamal',
    state: address,
    from: null,
    to: second.url,
    log: { target: `ozone-connect ${second.url}`, before: `file ${first.url}`, after: `stored ${second.url}` },
  }),
  'deviations.clear': ({ value }) => ({
    by: 'jamal',
    at: '/lfi',
    given: () =>
      value(
        `insert into deviation values ('findAccounts', '$.data[*].currency', 'pattern', 12, now(), now()) on conflict do nothing`,
      ),
    state: () => value('select count(*)::int from deviation'),
    from: 1,
    to: 0,
    log: { target: null, before: '1 lines', after: '0 lines' },
  }),
  'session.end': ({ sessionsOf, somebodyElse, world }) => ({
    by: 'saif',
    at: '/people',
    given: somebodyElse,
    about: async () => personNamed('olfa').name,
    state: async () => {
      const { address } = await (await somebodyElse()).go(world.origin)
      return [await sessionsOf('olfa')(), address.includes('/login?because=ended')]
    },
    from: [1, false],
    to: [0, true],
    log: { target: expect.any(String), before: expect.any(String), after: expect.any(String) },
  }),
  'session.end-mine': ({ sessionsOf }) => ({
    by: 'rashid',
    at: '/account',
    leavesOut: true,
    state: sessionsOf('rashid'),
    from: 1,
    to: 0,
    log: { target: null, before: '1 sessions', after: '0 sessions' },
  }),
}
