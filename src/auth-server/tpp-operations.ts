/** What there is at the `as` door: one row per operation, and no logic. Discovery lists these and no others. */
export type TppOperationName = 'par' | 'token' | 'revocation' | 'introspection' | 'userinfo'

export type TppOperation = {
  readonly name: TppOperationName
  readonly path: string
  readonly methods: readonly string[]
  /** By whom: the engine authenticates clients; an access token stands for its user. */
  readonly authenticates: 'client' | 'access-token'
  /** Name of the endpoint in the discovery document (RFC 8414 2, RFC 9126 5, OIDC Discovery 3). */
  readonly metadata: string
}

const POST = ['POST'] as const

export const TPP_OPERATIONS: readonly TppOperation[] = [
  {
    name: 'par',
    path: '/par',
    methods: POST,
    authenticates: 'client',
    metadata: 'pushed_authorization_request_endpoint',
  },
  { name: 'token', path: '/token', methods: POST, authenticates: 'client', metadata: 'token_endpoint' },
  {
    name: 'revocation',
    path: '/token/revoke',
    methods: POST,
    authenticates: 'client',
    metadata: 'revocation_endpoint',
  },
  {
    name: 'introspection',
    path: '/introspection',
    methods: POST,
    authenticates: 'client',
    metadata: 'introspection_endpoint',
  },
  {
    name: 'userinfo',
    path: '/userinfo',
    methods: ['GET', 'POST'],
    authenticates: 'access-token',
    metadata: 'userinfo_endpoint',
  },
]

const BY_PATH: ReadonlyMap<string, TppOperation> = new Map(TPP_OPERATIONS.map((each) => [each.path, each]))

export const operationAt = (path: string): TppOperation | null => BY_PATH.get(path) ?? null

export function pathOf(name: TppOperationName): string {
  const operation = TPP_OPERATIONS.find((each) => each.name === name)
  if (operation === undefined) throw new Error(`there is no operation ${name}`)
  return operation.path
}
