/** Limits that a test does not run into. */
export const ROOM = { requestsInFlightPerListener: 512, requestsInFlight: 1024, connections: 4096 } as const
