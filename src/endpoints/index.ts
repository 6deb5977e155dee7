/** Where the LFI is: the addresses of the configuration, and those that two people have set since, which win. */
import type { Migration } from '../db.ts'
import { lfiEndpoint } from './migrations/0065-lfi-endpoint.ts'

export {
  ENDPOINT_NAMES,
  type Endpoint,
  type EndpointName,
  endpointsIn,
  faultOfUrl,
  toEndpointName,
  withEndpoints,
} from './endpoint.ts'
export {
  createEndpoints,
  type Endpoints,
  endpointsNow,
  fixedEndpoints,
  type InForce,
  type SetBy,
  type SetEndpoint,
} from './endpoints.ts'
export type { EndpointChange } from './store.ts'

export const migrations: readonly Migration[] = [lfiEndpoint]
