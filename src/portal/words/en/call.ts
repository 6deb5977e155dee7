import type { AuditKind } from '../../../audit/index.ts'
import type { StageName, StageState } from '../../pages/call-stages.ts'

const stageNames: Readonly<Record<StageName, string>> = {
  arrived: 'Arrived',
  identified: 'Identified',
  permitted: 'Permitted',
  asked: 'LFI asked',
  answered: 'Answered',
  recorded: 'Recorded',
}
const states: Readonly<Record<StageState, string>> = {
  done: 'done',
  stopped: 'it ended here',
  skipped: 'not needed',
  unreached: 'not reached',
}
const kinds: Readonly<Record<AuditKind, string>> = {
  'tpp-call': 'Call of a TPP',
  'lfi-call': 'Call to the LFI',
  'webhook-call': 'Attempt to deliver a webhook',
  'lfi-request': 'Call of the LFI',
  'refused-early': 'Refused before it was a request',
  'authorization-step': 'Step of an authorization',
  'consent-changed': 'Change of a consent',
  'resource-changed': 'Change of a payment, quote or opening',
  'participant-changed': 'Change of a participant',
  'admin-act': 'Act of an operator',
  'portal-act': 'Act in the portal',
  'consent-viewed': 'A consent was looked at',
  system: 'Life of the hub',
  'log-key': 'Key of the log',
  hour: 'Hour',
  erased: 'Erasure',
}

export const call = {
  interaction: 'Interaction id',
  receipt: 'Receipt of this call',
  refused: 'Why it was refused',
  rule: 'Rule',
  clause: 'Clause of the contract',
  expected: 'Expected',
  seen: 'Seen instead',
  where: 'Where',
  answered: 'Answered with',
  organisation: 'Organisation',
  attended: 'Customer present',
  callAt: 'Call at the door',
  stages: 'The six stages',
  stage: 'Stage',
  outcome: 'Outcome',
  took: 'When, or how long',
  measured:
    'The first three stages are measured together, as the time in the hub before the LFI was asked; where it was not asked, the whole time stands at the stage at which the call ended.',
  segments: {
    hubIn: 'in the hub before the LFI, stages 1 to 3',
    hubOut: 'in the hub after the LFI',
    hub: 'in the hub',
  },
  records: 'Everything recorded under this id',
  kind: 'Entry',
  recordedAt: 'Recorded',
  place: 'Place in the log',
  unsealed: 'no place yet',
  facts: 'What it says',
  never: 'Payloads and tokens are in no entry, so they cannot be shown here.',
  stageNames,
  states,
  kinds,
}
