/** Who somebody is to a portal, by what the trust framework says of them. */
import { describe, expect, test } from 'vitest'
import type { PortalConfig, TenantConfig } from '../../src/config.ts'
import type { OrganisationId } from '../../src/ids.ts'
import { localPath } from '../../src/portal/guard.ts'
import { type Claims, judgePerson } from '../../src/portal/person.ts'

const OWN = 'cd7e71fa-1863-44be-9ce1-e3add79d70f8' as OrganisationId
const SUPERVISOR = '5b0f2e9a-6c1d-4a37-9e84-0d7f3c2b1a66' as OrganisationId
const tenant = { organisationId: OWN } as TenantConfig
const portal = {
  rolesClaim: 'roles',
  organisationClaim: 'organisation_id',
  roles: { operator: ['ops', 'ops-lead'], business: [], security: ['sec'], regulator: ['supervisor'] },
  regulatorOrganisations: [SUPERVISOR],
} as unknown as PortalConfig
const judge = (claims: Claims) => judgePerson({ sub: 'p-1', name: 'A Person', ...claims }, tenant, portal)

describe('somebody', () => {
  test.each<[string, Claims, readonly string[]]>([
    [
      'of this bank has the roles that their values give',
      { organisation_id: OWN, roles: ['sec', 'ops-lead'] },
      ['operator', 'security'],
    ],
    ['with one role as a text has it', { organisation_id: OWN, roles: 'ops' }, ['operator']],
    ['of the supervisor is a regulator', { organisation_id: SUPERVISOR, roles: ['supervisor'] }, ['regulator']],
    [
      'of the supervisor is no more than that',
      { organisation_id: SUPERVISOR, roles: ['supervisor', 'ops', 'sec'] },
      ['regulator'],
    ],
  ])('%s', (_what, claims, roles) => {
    expect(judge(claims)).toEqual({ person: { subject: 'p-1', name: 'A Person', roles } })
  })

  test.each<[string, Claims, string]>([
    [
      'of another organisation',
      { organisation_id: 'f37f8559-e15c-496a-b978-653006a0218f', roles: ['ops'] },
      'organisation',
    ],
    ['of no organisation', { roles: ['ops'] }, 'organisation'],
    ['of several organisations, this one among them', { organisation_id: [OWN], roles: ['ops'] }, 'organisation'],
    ['without a role', { organisation_id: OWN, roles: [] }, 'role'],
    ['with no word of roles', { organisation_id: OWN }, 'role'],
    ['with a role of no meaning here', { organisation_id: OWN, roles: ['OPS', 'op', 'toString'] }, 'role'],
    ['of the supervisor without its role', { organisation_id: SUPERVISOR, roles: ['ops'] }, 'role'],
  ])('%s is not let in', (_who, claims, refused) => {
    expect(judge(claims)).toMatchObject({ refused })
  })

  test('without a name is called by their subject, and a long name is cut', () => {
    const roles = { organisation_id: OWN, roles: 'ops' }
    expect(judge({ ...roles, name: undefined })).toMatchObject({ person: { name: 'p-1' } })
    expect(judge({ ...roles, name: 'x'.repeat(500) })).toMatchObject({ person: { name: 'x'.repeat(120) } })
  })
})

test.each([
  ['/consents?customer=a%20b', '/consents?customer=a%20b'],
  [null, '/'],
  ['', '/'],
  ['consents', '/'],
  ['https://evil.example/', '/'],
  ['//evil.example', '/'],
  ['/\\evil.example', '/'],
  ['/\t/evil.example', '/'],
  ['/a\r\nset-cookie: x=1', '/'],
  [`/${'a'.repeat(2000)}`, '/'],
])('after a login %j leads to %j', (asked, path) => {
  expect(localPath(asked, 'https://portal.example')).toBe(path)
})
