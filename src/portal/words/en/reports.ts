const kinds = {
  lfi: 'Availability of the LFI by day',
  volume: 'API call volume',
  'lfi-availability': 'Availability of the LFI by operation',
  'hub-availability': 'Availability of the hub by operation',
  'lfi-performance': 'Performance of the LFI',
  'hub-performance': 'Performance of the hub',
  daily: 'Calls by day, operation, client and outcome',
  hourly: 'Calls by hour, operation, client and outcome',
  times: 'Times of operations by day, beside the limit of 500 ms',
  consents: 'Consents by day, TPP and kind',
  versions: 'Consents created, by TPP and version of the standard',
  payments: 'Payments by day, TPP and merchant',
  billing: 'Billing inputs of calls by day and TPP',
}

export const reports = {
  why: 'Every figure follows from the audit log, so whoever has an export of the log can compute the same. Days are those of the Emirates, both included.',
  report: 'Report',
  first: 'First day',
  last: 'Last day',
  show: 'Show',
  download: 'Download as CSV',
  bounds: (rows: string): string =>
    `The page shows up to ${rows} rows, the file has all of them. Reports are of a year at most, calls, times, payments and billing by day of 31 days, calls by hour of two.`,
  raw: 'Raw API log',
  whyRaw:
    'One row for each call. It can be as long as the log itself, so it is written by a command, where the deployment is:',
  kinds,
}
