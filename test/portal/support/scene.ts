/** What the acts of every-act.ts are about, in one language: names as the pages have them, and how things stand. */
import { expect } from 'vitest'
import { type Language, TONGUES } from '../../../src/portal/words/index.ts'
import type { Filled } from './every-act.ts'
import type { Stage } from './stage.ts'
import type { Visitor } from './visitor.ts'
import { personNamed } from './world.ts'

export type Scene = ReturnType<typeof sceneOf>

export function sceneOf(stage: Stage, language: Language) {
  const { words } = TONGUES[language]
  const { seeded, bank, world, ids, value, column } = stage
  const [tpp, statement, client] = ids
  const [first, second] = bank.doors
  const turn = language === 'en' ? 0 : 1
  const [consent, stood, revision] =
    [[seeded.authorized, 'Authorized', 2] as const, [seeded.awaiting, 'AwaitingAuthorization', 1] as const][turn] ??
    expect.fail()

  const step = (level: string, table: string, id: string, status: string) => ({
    state: () => value(`select status from ${table}`),
    to: status,
    log: { target: id, before: expect.stringMatching(`^${level} `), after: `${level} ${status}` },
    at: `/tpps/${client}`,
  })
  const activate = (level: string, table: string, id: string) => ({ by: 'bushra', ...step(level, table, id, 'active') })
  const block = (level: string, table: string, id: string) => ({
    ...{ from: 'active', ...step(level, table, id, 'blocked') },
  })
  const blocked = { target: null, before: '1 of 1 TPPs not blocked', after: '0 of 1 TPPs not blocked' }
  const tppStatus = () => value('select status from tpp')
  const decided = (name: 'approve' | 'reject') => {
    const id = () => stage.proposal(`${name} ${language}`, 'sara')
    return {
      at: '/approvals',
      about: async () => `${words.acts['tpps.block-all']} ${await id()}`,
      state: async () => [await value('select state from portal_proposal where id = ?', await id()), await tppStatus()],
    }
  }
  const outages = () =>
    column(
      `select concat_ws(' ', kind, subject, reason) from outage where ends_at is null or ends_at > ? order by declared_at`,
      new Date(world.clock.now()),
    )
  const lasting = (count: number) => `${count} announced or lasting`
  const night = new Date(world.clock.now() + (5 + turn) * 86_400_000).toISOString().slice(0, 10)
  const { outages: outage, lfi, keys } = words
  const planned = (from: string, to: string): Filled => [
    [outage.from, `${night}T${from}`],
    [outage.to, `${night}T${to}`],
  ]
  const subjectAndReason = (subject: 'hub' | 'lfi', reason: string): Filled => [
    [outage.subject, outage.subjects[subject]],
    [outage.reason, reason],
  ]
  const isNext = () =>
    column(`select kid from tenant_key where use = 'sig' and activates_at > ?`, new Date(world.clock.now()))
  const address = () =>
    value(`select after from lfi_endpoint where name = 'ozone-connect' order by version desc limit 1`)
  const endpoint = lfi.endpointNames['ozone-connect']
  const sessionsOf = (username: string) => () =>
    value('select count(*)::int from portal_session where subject = ?', personNamed(username).subject)
  const letter = () => stage.deadLetter(`opening-${language}`)

  let olfa: Promise<Visitor> | undefined
  /** Somebody else, in another browser, once. */
  const somebodyElse = (): Promise<Visitor> => {
    olfa ??= value('delete from portal_session where subject = ?', personNamed('olfa').subject).then(() =>
      world.loggedIn('olfa'),
    )
    return olfa
  }
  return {
    ...{ words, turn, stage, language, value, column, tpp, statement, client, first, second, world },
    ...{ consent, stood, revision, activate, block, blocked, decided, tppStatus, outages, lasting, night, planned },
    ...{ subjectAndReason, keys, isNext, address, endpoint, lfi, sessionsOf, letter, somebodyElse },
  }
}
