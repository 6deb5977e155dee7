import { HubError } from '../../errors.ts'
import { toCorrelationId } from '../../ids.ts'
import type { Outage, ReportType } from '../../reports/index.ts'
import { Answer } from '../answer.ts'
import type { Arrival } from '../facts.ts'
import type { Services } from '../services.ts'
import { stage } from '../stage.ts'

/** The reports of tpp-api 9.2, of the operations that the client may call; the calls counted are its organisation's. */
export const answerReports = stage({
  name: 'answer-reports',
  needs: ['arrival', 'client', 'query'],
  adds: [],
  fails: ['Resource.InvalidFormat'],
  async run({ arrival, client, query }, services) {
    const rows = await services.reports.forTpp({
      organisationId: client.organisationId,
      first: query['ReportingPeriodStartDate'] ?? '',
      last: query['ReportingPeriodEndDate'] ?? '',
      type: (query['ReportType'] as ReportType | undefined) ?? null,
      endpoints: services.endpoints.filter(({ scope }) => client.scopes.includes(scope)),
    })
    return answer(rows, arrival, services)
  },
})

/** Absent, of another organisation, answered by the LFI: all told alike. */
export const answerRefusals = stage({
  name: 'answer-refusals',
  needs: ['arrival', 'client', 'pathValues'],
  adds: [],
  fails: ['NotFound'],
  async run({ arrival, client, pathValues }, services) {
    const id = toCorrelationId(pathValues['InteractionId'])
    const found = id === null ? [] : await services.reports.explanations.ofTpp(id, client.organisationId)
    if (found.length === 0) throw new HubError('NotFound', { rule: 'refusal.own' })
    return answer(found, arrival, services)
  },
})

export const listOutages = stage({
  name: 'list-outages',
  needs: ['arrival'],
  adds: [],
  fails: [],
  run: async ({ arrival }, services) => answer((await services.reports.outages.list()).map(view), arrival, services),
})

/** The reason of an outage is for the operator: it may name who or what broke. */
const view = ({ id, subject, kind, startsAt, endsAt }: Outage) => ({
  OutageId: id,
  Subject: subject === 'lfi' ? 'LFI' : 'OFP',
  Kind: kind === 'planned' ? 'Planned' : 'Unplanned',
  StartDateTime: startsAt,
  EndDateTime: endsAt,
})

function answer(rows: readonly unknown[], { path, search }: Arrival, { tenant }: Services): Answer {
  const self = `${tenant.listeners.rs.origin}${path}${search === '' ? '' : `?${search}`}`
  return new Answer(200, { Data: rows, Links: { Self: self }, Meta: {} }, rows.length)
}
