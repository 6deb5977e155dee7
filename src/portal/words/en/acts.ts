/** What each act is called: on its button, in messages about it, and where acts are listed. */
import type { ActName } from '../../roles.ts'

export const acts: Readonly<Record<ActName, string>> = {
  'tpp.activate': 'Activate the TPP',
  'tpp.block': 'Block the TPP',
  'statement.activate': 'Activate the software statement',
  'statement.block': 'Block the software statement',
  'client.activate': 'Activate the client',
  'client.block': 'Block the client',
  'tpps.block-all': 'Block all TPPs',
  'consent.revoke': 'Revoke the consent',
  'outage.plan': 'Announce the outage',
  'outage.begin': 'An outage begins now',
  'outage.end': 'End it now',
  'keys.rotate': 'Rotate keys',
  'keys.retire': 'Retire the key',
  'lfi.probe': 'Probe now',
  'lfi.endpoint': 'Change the address',
  'lfi.endpoint-reset': 'Back to the file',
  'deviations.clear': 'Reset the list',
  'session.end': 'End the session',
  'session.end-mine': 'Log out everywhere',
  'audit.verify': 'Verify the log now',
  'webhook.redeliver': 'Send again',
  'proposal.approve': 'Approve',
  'proposal.reject': 'Reject',
}
