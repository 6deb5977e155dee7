import { X509Certificate } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:https'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { clientTls } from '../../sandbox/tls.ts'
import { revokeCertificate, setOrganisationStatus, setSoftwareStatus } from '../../sandbox/trust-framework/operator.ts'
import { newRsaKey, openAuthority, pemOf } from '../../sandbox/trust-framework/pki.ts'
import {
  askToken,
  certificateIn,
  dataDir,
  enrolment,
  get,
  kidsAt,
  operator,
  primaryAt,
  primaryKeys,
  running,
  send,
  setClock,
  start,
  statementsOf,
  tokenFor,
} from './trust-framework-fixture.ts'

const FAMILIES = ['account-information', 'confirmation', 'atm', 'product', 'fx', 'account-opening']

describe('directory', () => {
  beforeAll(start)
  afterAll(() => running.close())

  test('participants are the LFIs, with discovery and operations', async () => {
    const answer = await send(`${running.publicUrl}/participants`)
    expect(answer.headers['cache-control']).toBe('max-age=900')
    const list = answer.json() as Record<string, unknown>[]
    expect(list.map((each) => each['LegalEntityName'])).toEqual(['Aurora Bank PJSC', 'Meridian Islamic Bank PJSC'])
    const organisationId = enrolment.banks.aurora.organisationId
    expect(list[0]).toMatchObject({
      OrganisationId: organisationId,
      Status: 'Active',
      CountryOfRegistration: 'AE',
      Size: 'LFI',
      AuthorisationServers: [
        {
          OrganisationId: organisationId,
          CustomerFriendlyName: 'Aurora Bank',
          Issuer: 'https://localhost:8460',
          OpenIDDiscoveryDocument: 'https://localhost:8460/.well-known/openid-configuration',
          PayloadSigningCertLocationUri: `https://localhost:8450/${organisationId}/application.jwks`,
          ApiResources: FAMILIES.map((ApiFamilyType) => ({ ApiVersion: '2.1', ApiFamilyType, Status: 'Active' })),
        },
      ],
      OrgDomainRoleClaims: [{ Role: 'LFI', Status: 'Active', RoleType: 'Federation' }],
    })
    const endpoints = [...answer.body.matchAll(/"ApiEndpoint":"([^"]+)"/g)].map((match) => match[1])
    expect(endpoints).toHaveLength(2 * 25)
    expect(endpoints).toContain(
      'https://localhost:8472/open-finance/account-information/v2.1/accounts/{AccountId}/balances',
    )
  })

  test('the keystore publishes an application’s signing and encryption keys as JWKs', async () => {
    const { organisationId, signing, encryption } = enrolment.tpp.primary
    const { keys } = (await send(primaryKeys())).json() as { keys: Record<string, string>[] }
    expect(keys).toHaveLength(2)
    const jwk = certificateIn(signing.certFile).publicKey.export({ format: 'jwk' })
    expect(keys[0]).toEqual({
      kty: 'RSA',
      use: 'sig',
      alg: 'PS256',
      n: jwk.n,
      e: 'AQAB',
      kid: signing.kid,
      x5u: `https://localhost:8450/${organisationId}/${signing.kid}.pem`,
      'x5t#S256': signing.kid,
      x5dn: `OU=${organisationId},O=Wadi Money FZ-LLC,C=AE`,
    })
    expect(keys[1]).toMatchObject({ use: 'enc', alg: 'RSA-OAEP-256', kid: encryption.kid })
  })

  test('an organisation’s file holds all its applications’ keys: the bank’s before the hub’s', async () => {
    const { aurora } = enrolment.banks
    const hub = enrolment.hubs.aurora
    expect(await kidsAt(`${running.publicUrl}/${aurora.organisationId}/application.jwks`)).toEqual([
      aurora.signing.kid,
      aurora.encryption.kid,
      hub.signing[0]?.kid,
      hub.encryption[0]?.kid,
    ])
    expect(await kidsAt(`${running.publicUrl}/${aurora.organisationId}/${hub.keysClientId}/application.jwks`)).toEqual([
      hub.signing[0]?.kid,
      hub.encryption[0]?.kid,
    ])
    const { toLfi } = hub
    expect(await kidsAt(`${running.publicUrl}/${toLfi.organisationId}/${toLfi.clientId}/application.jwks`)).toEqual([
      toLfi.signing.kid,
    ])
    expect(await kidsAt(`${running.publicUrl}/${toLfi.organisationId}/${toLfi.clientId}/transport.jwks`)).toEqual([
      toLfi.kid,
    ])
  })

  test('certificates are there as PEM, under their own organisation only', async () => {
    const { organisationId, signing } = enrolment.tpp.primary
    const pem = await send(`${running.publicUrl}/${organisationId}/${signing.kid}.pem`)
    expect(new X509Certificate(pem.body).raw).toEqual(certificateIn(signing.certFile).raw)
    const elsewhere = `${running.publicUrl}/${enrolment.banks.aurora.organisationId}/${signing.kid}.pem`
    expect((await send(elsewhere)).status).toBe(404)
  })

  test.for([
    '/nobody/application.jwks',
    '/__proto__/application.jwks',
    `/${'x'.repeat(43)}/${'A'.repeat(43)}.pem`,
    '/nothing',
  ])('%s is not found, in JSON', async (path) => {
    const answer = await send(`${running.publicUrl}${path}`)
    expect(answer.status).toBe(404)
    expect(answer.json()).toMatchObject({ error: 'not_found' })
  })

  test('an application of another organisation is not found', async () => {
    const { organisationId } = enrolment.banks.meridian
    const url = `${running.publicUrl}/${organisationId}/${enrolment.tpp.primary.clientId}/application.jwks`
    expect((await send(url)).status).toBe(404)
  })

  test('the front page lists everybody', async () => {
    const answer = await send(`${running.publicUrl}/`)
    expect(answer.headers['content-type']).toContain('text/html')
    for (const name of ['Aurora Bank PJSC', 'Wadi Money FZ-LLC']) expect(answer.body).toContain(name)
  })

  test('nothing is written by other methods', async () => {
    expect((await send(`${running.publicUrl}/participants`, { method: 'POST', body: 'x' })).status).toBe(405)
  })
})

describe('directory API', () => {
  beforeAll(start)
  afterAll(() => running.close())
  const hub = () => enrolment.hubs.aurora.directoryClient
  const tppClient = () => ({ ...enrolment.tpp.primary.transport, clientId: enrolment.tpp.primary.clientId })

  test('a caller without a certificate, or with one of a foreign or signing kind, does not get through TLS', async () => {
    const url = `${running.apiUrl}/organisations`
    await expect(send(url)).rejects.toThrow()
    await expect(send(url, { client: enrolment.rogue.client })).rejects.toThrow()
    await expect(send(url, { client: enrolment.tpp.primary.signing })).rejects.toThrow()
    await expect(send(url, { client: enrolment.hubs.aurora.server })).rejects.toThrow()
  })

  test('a token is issued for ten minutes to the certificate’s application', async () => {
    const answer = await askToken(hub())
    expect(answer.status).toBe(200)
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(answer.json()).toEqual({
      access_token: expect.stringMatching(/^[\w-]{43}$/),
      token_type: 'Bearer',
      expires_in: 600,
      scope: 'directory:software',
    })
  })

  test.for([
    { why: 'another application’s id', fields: { client_id: '00000000-0000-4000-8000-000000000000' }, status: 401 },
    { why: 'another grant', fields: { grant_type: 'password' }, status: 400 },
    { why: 'another scope', fields: { scope: 'directory:website' }, status: 400 },
  ])('no token for $why', async ({ fields, status }) => {
    const answer = await askToken(hub(), fields)
    expect(answer.status).toBe(status)
    expect(answer.json()).toMatchObject({ error: expect.any(String) })
  })

  test('no token for a good certificate the register does not know', async () => {
    const authority = await openAuthority(join(dataDir, 'pki'), 'Falaj Sandbox')
    const key = await newRsaKey()
    const { clientId } = hub()
    const subject = {
      organisation: 'Falaj Hub Operator',
      organisationId: enrolment.hubOperator.organisationId,
      clientId,
    }
    const client = { certFile: join(dataDir, 'unknown.pem'), keyFile: join(dataDir, 'unknown.key.pem'), clientId }
    const pem = await authority.issue({ kind: 'client-transport', subject, key })
    writeFileSync(client.certFile, `${pem}${authority.chainPem}`)
    writeFileSync(client.keyFile, pemOf(key))
    const answer = await askToken(client)
    expect([answer.status, answer.json()]).toEqual([401, expect.objectContaining({ error: 'invalid_client' })])
  })

  test('a token opens the records', async () => {
    const token = await tokenFor(hub())
    const { primary, organisationId } = enrolment.tpp
    const organisations = (await get('/organisations', hub(), token)).json() as { OrganisationName: string }[]
    expect(organisations.map((each) => each.OrganisationName)).toContain('Wadi Money')
    expect((await get(`/organisations/${organisationId}`, hub(), token)).json()).toMatchObject({ Size: 'TPP' })
    const statements = (await get(statementsOf(organisationId), hub(), token)).json() as { ClientName: string }[]
    expect(statements.map((each) => each.ClientName)).toEqual(['Wadi Budget', 'Wadi Budget Two'])
    expect((await get(primaryAt(), hub(), token)).json()).toMatchObject({
      SoftwareStatementId: primary.softwareStatementId,
      OrganisationId: organisationId,
      ClientId: primary.clientId,
      Status: 'Active',
      RedirectUri: ['https://localhost:8443/callback'],
      ApiWebhookUri: ['https://localhost:8443/webhooks'],
    })
    const certificates = (await get(`${primaryAt()}/certificates`, hub(), token)).json()
    expect(certificates).toMatchObject([
      { kid: primary.transport.kid, keyType: 'CLIENT TRANSPORT', use: 'sig', Status: 'Active', RevokedDateTime: null },
      { kid: primary.signing.kid, keyType: 'CLIENT SIGNING', use: 'sig', x5thashS256: primary.signing.kid },
      { kid: primary.encryption.kid, keyType: 'CLIENT ENCRYPTION', use: 'enc' },
    ])
    const roles = (await get(`${primaryAt()}/roles`, hub(), token)).json() as Record<string, string>[]
    expect(roles.map((each) => each['AuthorisationDomainRoleName'])).toEqual(['BDSP', 'BSIP', 'ISP'])
    expect((await get('/references/apifamilies', hub(), token)).json()).toMatchObject(
      FAMILIES.map((ApiFamilyType) => ({ ApiFamilyType })),
    )
  })

  test('a software statement is found under its own organisation only', async () => {
    const token = await tokenFor(hub())
    const { organisationId } = enrolment.banks.aurora
    const path = `${statementsOf(organisationId)}/${enrolment.tpp.primary.softwareStatementId}`
    for (const each of [path, `${path}/certificates`, `${path}/roles`, '/organisations/nobody']) {
      expect((await get(each, hub(), token)).status).toBe(404)
    }
  })

  test('a token works with its own certificate only', async () => {
    const token = await tokenFor(hub())
    expect((await get('/organisations', hub(), token)).status).toBe(200)
    const stolen = await get('/organisations', tppClient(), token)
    expect(stolen.status).toBe(401)
    expect(stolen.json()).toMatchObject({ error: 'invalid_token' })
    expect((await get('/organisations', hub(), `${token}x`)).status).toBe(401)
    expect((await send(`${running.apiUrl}/organisations`, { client: hub() })).status).toBe(401)
  })

  test('a token ends after ten minutes', async () => {
    const token = await tokenFor(hub())
    const issuedAt = Date.now()
    setClock(() => new Date(issuedAt + 599_000))
    expect((await get('/organisations', hub(), token)).status).toBe(200)
    setClock(() => new Date(issuedAt + 601_000))
    expect((await get('/organisations', hub(), token)).status).toBe(401)
    setClock(() => new Date())
  })

  test('the caller is known on resumed TLS sessions as well', async () => {
    const agent = new Agent({ ...clientTls(enrolment.ca.rootFile, hub()) })
    const token = await tokenFor(hub())
    const headers = { authorization: `Bearer ${token}` }
    const answers = []
    for (let n = 0; n < 2; n += 1) answers.push(await send(`${running.apiUrl}/organisations`, { agent, headers }))
    expect(answers.map(({ status, resumed }) => [status, resumed])).toEqual([
      [200, false],
      [200, true],
    ])
  })

  test('bodies of another type or size are refused', async () => {
    const json = { method: 'POST', client: hub(), headers: { 'content-type': 'application/json' }, body: '{}' }
    expect((await send(running.tokenUrl, json)).status).toBe(415)
    expect((await askToken(hub(), { padding: 'x'.repeat(20_000) })).status).toBe(413)
  })
})

describe('operator’s acts', () => {
  beforeAll(start)
  afterAll(() => running.close())
  afterEach(async () => {
    setClock(() => new Date())
    await running.close()
    rmSync(enrolment.directory.stateFile, { force: true })
    await start()
  })
  const hub = () => enrolment.hubs.aurora.directoryClient

  test('revocation takes a key out of the keystore, marks its record, and survives a restart', async () => {
    const { signing, encryption, organisationId } = enrolment.tpp.primary
    await revokeCertificate(operator(), signing.kid)
    for (const restart of [false, true]) {
      if (restart) {
        await running.close()
        await start()
      }
      expect(await kidsAt(primaryKeys())).toEqual([encryption.kid])
      const wide = await kidsAt(`${running.publicUrl}/${organisationId}/application.jwks`)
      expect(wide).not.toContain(signing.kid)
      expect((await send(`${running.publicUrl}/${organisationId}/${signing.kid}.pem`)).status).toBe(404)
      const records = await get(`${primaryAt()}/certificates`, hub(), await tokenFor(hub()))
      const record = (records.json() as Record<string, string>[]).find(({ kid }) => kid === signing.kid)
      expect(record).toMatchObject({
        Status: 'Revoked',
        RevokedDateTime: expect.stringMatching(/^20\d\d-.*Z$/),
      })
    }
  })

  test('a second revocation does not move the date of the first', async () => {
    const { kid } = enrolment.tpp.primary.signing
    const dateOf = async () => {
      const records = await get(`${primaryAt()}/certificates`, hub(), await tokenFor(hub()))
      return (records.json() as Record<string, string>[]).find((each) => each['kid'] === kid)?.['RevokedDateTime']
    }
    await revokeCertificate(operator(), kid)
    const first = await dateOf()
    setClock(() => new Date(Date.now() + 5_000))
    await revokeCertificate(operator(), kid)
    expect(await dateOf()).toBe(first)
  })

  test('a revoked certificate gets no token, and one issued before stops working', async () => {
    const token = await tokenFor(hub())
    await revokeCertificate(operator(), hub().kid)
    expect((await get('/organisations', hub(), token)).status).toBe(401)
    expect((await askToken(hub())).status).toBe(401)
  })

  test('expired keys are absent', async () => {
    const { signing } = enrolment.tpp.primary
    const end = Date.parse(certificateIn(signing.certFile).validTo)
    setClock(() => new Date(end - 1_000))
    expect(await kidsAt(primaryKeys())).toContain(signing.kid)
    setClock(() => new Date(end + 60_000))
    expect(await kidsAt(primaryKeys())).toEqual([])
  })

  test('a suspended application is shown so and gets no token; activating it again restores both', async () => {
    const { softwareStatementId } = enrolment.tpp.primary
    const client = { ...enrolment.tpp.primary.transport, clientId: enrolment.tpp.primary.clientId }
    const status = async () =>
      ((await get(primaryAt(), hub(), await tokenFor(hub()))).json() as Record<string, string>)['Status']
    await setSoftwareStatus(operator(), softwareStatementId, 'Suspended')
    expect([await status(), (await askToken(client)).status]).toEqual(['Suspended', 401])
    await setSoftwareStatus(operator(), softwareStatementId, 'Active')
    expect([await status(), (await askToken(client)).status]).toEqual(['Active', 200])
  })

  test('an inactive organisation shows as such among the participants', async () => {
    await setOrganisationStatus(operator(), enrolment.banks.meridian.organisationId, 'Inactive')
    const list = (await send(`${running.publicUrl}/participants`)).json() as Record<string, unknown>[]
    expect(list.map((each) => each['Status'])).toEqual(['Active', 'Inactive'])
  })

  test('others are refused, whatever they hold, and nothing changes', async () => {
    const { signing, softwareStatementId } = enrolment.tpp.primary
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${await tokenFor(hub())}` }
    const body = '{"Status":"Inactive"}'
    for (const path of [
      `/operator/certificates/${signing.kid}/revoke`,
      `/operator/softwarestatements/${softwareStatementId}/status`,
      `/operator/organisations/${enrolment.tpp.organisationId}/status`,
    ]) {
      const answer = await send(`${running.apiUrl}${path}`, { method: 'POST', client: hub(), headers, body })
      expect([path, answer.status]).toEqual([path, 403])
      const posted = { method: 'POST', headers, body }
      expect((await send(`${running.publicUrl}${path}`, posted)).status).toBeGreaterThanOrEqual(404)
    }
    expect(await kidsAt(primaryKeys())).toContain(signing.kid)
  })

  test('what does not exist cannot be acted on, and statuses are a closed list', async () => {
    await expect(revokeCertificate(operator(), 'A'.repeat(43))).rejects.toThrow('404')
    await expect(setSoftwareStatus(operator(), '__proto__', 'Active')).rejects.toThrow('404')
    const url = `${running.apiUrl}/operator/organisations/${enrolment.tpp.organisationId}/status`
    for (const body of ['{"Status":"Suspended"}', '{}', 'null', 'not json']) {
      const sent = {
        method: 'POST',
        client: operator().client,
        headers: { 'content-type': 'application/json' },
        body,
      }
      expect((await send(url, sent)).status).toBe(400)
    }
  })
})
