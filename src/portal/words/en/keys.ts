export const keys = {
  stored:
    'The keys are kept by the hub, encrypted. A rotation publishes the next key at once; it signs by itself when clients had time to see it. Rotating and retiring take two people.',
  files:
    'The keys of this tenant are files of its configuration and change there. With keys.source “stored” the hub keeps them, and they can be rotated here.',
  uses: { sig: 'Signing keys', enc: 'Encryption keys' },
  kid: 'Key',
  state: 'State',
  states: { next: 'next', active: 'active', retired: 'retired', ended: 'ended' },
  source: 'Kept',
  sources: { stored: 'by the hub', file: 'as a file' },
  made: 'Made',
  signsFrom: 'In use from',
  retiresAt: 'Retires',
  goodUntil: 'Good until',
  certificates: 'Certificates',
  authorities: 'Authorities that the hub believes',
  replaced:
    'Below 90 and below 7 days an authority is in the log, once a day, and an alert. Its successor is written into the same file beside it, before the first certificate of the new one is used; one that has ended is taken out.',
  certificate: 'Certificate of',
  subject: 'Subject',
  issuer: 'Issuer',
  endsAt: 'Ends',
  left: 'Left',
  urgencies: { good: 'good', soon: 'ends soon', urgent: 'renew it now', over: 'has ended' },
  days: (days: string): string => `${days} days`,
  renewed:
    'A certificate is renewed at the trust framework and named in the configuration; a running process takes the new one when it is restarted. Below 30 and below 7 days it is also in the log, once a day, and an alert.',
}
