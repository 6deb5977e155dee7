import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Ajv } from 'ajv'
import { fullFormats } from 'ajv-formats/dist/formats.js'
import { load } from 'js-yaml'
import type { DocumentId } from '../../src/schema-registry.ts'
import { LEFT_OUT } from './divergences.ts'

/** The published files are read where they are and never become part of the project. */
export const PUBLISHED_FOLDER = fileURLToPath(new URL('../../../shared/specs/uae-open-finance/', import.meta.url))
export const OURS = fileURLToPath(new URL('../../schemas/', import.meta.url))
export const isPublishedPresent = existsSync(PUBLISHED_FOLDER)

/** Documents of our own making: nothing is published to compare them with. */
export const UNPUBLISHED = { 'audit-receipts': 'standards/audit-receipts.v1.yaml' } as const satisfies Partial<
  Record<DocumentId, string>
>
export type PublishedId = Exclude<DocumentId, keyof typeof UNPUBLISHED>

export const PAIRS: Readonly<Record<PublishedId, { readonly ours: string; readonly published: string }>> = {
  'account-information': {
    ours: 'standards/account-information.v2.1.yaml',
    published: 'standards/uae-account-information-openapi.yaml',
  },
  onboarding: { ours: 'standards/onboarding.v2.1.yaml', published: 'api-hub/uae-api-hub-tpp-onboarding-openapi.yaml' },
  'data-sharing': {
    ours: 'ozone-connect/data-sharing.v2.1.yaml',
    published: 'ozone-connect/uae-ozone-connect-bank-data-sharing-openapi.yaml',
  },
  'confirmation-of-payee': {
    ours: 'standards/confirmation-of-payee.v2.1.yaml',
    published: 'standards/uae-confirmation-of-payee-openapi.yaml',
  },
  atm: { ours: 'standards/atm.v2.1.yaml', published: 'standards/uae-atm-openapi.yaml' },
  product: { ours: 'standards/product.v2.1.yaml', published: 'standards/uae-product-openapi.yaml' },
  fx: { ours: 'standards/fx.v2.1.yaml', published: 'standards/uae-fx-service-initiation-openapi.yaml' },
  'account-opening': {
    ours: 'standards/account-opening.v2.1.yaml',
    published: 'standards/uae-account-opening-service-initiation-openapi.yaml',
  },
  'open-data': {
    ours: 'ozone-connect/open-data.v2.1.yaml',
    published: 'ozone-connect/uae-ozone-connect-bank-open-data-openapi.yaml',
  },
  'products-data': {
    ours: 'ozone-connect/products-data.v2.1.yaml',
    published: 'ozone-connect/uae-ozone-connect-bank-products-data-openapi.yaml',
  },
  'fx-and-account-opening': {
    ours: 'ozone-connect/fx-and-account-opening.v2.1.yaml',
    published: 'ozone-connect/uae-ozone-connect-bank-service-initiation-openapi.yaml',
  },
  'health-check': {
    ours: 'ozone-connect/health-check.v2.1.yaml',
    published: 'ozone-connect/uae-ozone-connect-health-check-openapi.yaml',
  },
  webhook: {
    ours: 'standards/webhook.v2.1.yaml',
    published: 'standards/uae-webhook-template-openapi.yaml',
  },
  'consent-events-actions': {
    ours: 'ozone-connect/consent-events-actions.v2.1.yaml',
    published: 'ozone-connect/uae-ozone-connect-consent-events-actions-openapi.yaml',
  },
  'consent-manager': {
    ours: 'api-hub/consent-manager.v2.1.yaml',
    published: 'api-hub/uae-api-hub-consent-manager-openapi.yaml',
  },
  'tpp-reports': {
    ours: 'api-hub/tpp-reports.v2.1.yaml',
    published: 'api-hub/uae-api-hub-tpp-reports-openapi.yaml',
  },
  'headless-authorization': {
    ours: 'api-hub/headless-authorization.v2.1.yaml',
    published: 'api-hub/uae-api-hub-authorisation-server-openapi.yaml',
  },
  'bank-initiation': {
    ours: 'standards/bank-initiation.v2.1.yaml',
    published: 'standards/uae-bank-initiation-openapi.yaml',
  },
  'service-initiation': {
    ours: 'ozone-connect/service-initiation.v2.1.yaml',
    published: 'ozone-connect/uae-ozone-connect-bank-service-initiation-openapi.yaml',
  },
  'payment-consents': {
    ours: 'standards/payment-consents.v2.1.yaml',
    published: 'standards/uae-bank-initiation-openapi.yaml',
  },
  'insurance-consents': {
    ours: 'standards/insurance-consents.v2.1.yaml',
    published: 'standards/uae-insurance-openapi.yaml',
  },
}
export const RAR_FILE = 'standards/uae-authorization-endpoints-openapi.yaml'
const RICH = 'RichAuthorizationRequestsV21'
export const RAR = [
  {
    ours: 'rar/account-access-consent.v2.1.yaml',
    urn: 'urn:openfinanceuae:account-access-consent:v2.1',
    component: `AEBankDataSharing${RICH}.AEBankDataSharingAuthorizationDetailsProperties`,
  },
  {
    ours: 'rar/service-initiation-consent.v2.1.yaml',
    urn: 'urn:openfinanceuae:service-initiation-consent:v2.1',
    component: `AEBankServiceInitiation${RICH}.AEBankServiceInitiationAuthorizationDetailsProperties`,
  },
  {
    ours: 'rar/insurance-consent.v2.1.yaml',
    urn: 'urn:openfinanceuae:insurance-consent:v2.1',
    component: `AEInsuranceDataSharing${RICH}.AEInsuranceDataSharingAuthorizationDetailsProperties`,
  },
] as const

export type Json = { readonly [key: string]: unknown }
export const json = (value: unknown): Json => (typeof value === 'object' && value !== null ? (value as Json) : {})
export const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

export const readPublished = (file: string): Json => json(load(readFileSync(PUBLISHED_FOLDER + file, 'utf8')))
export const readOurs = (file: string): Json => json(load(readFileSync(OURS + file, 'utf8')))

export function resolve(root: Json, value: unknown): Json {
  const ref = json(value)['$ref']
  if (typeof ref !== 'string') return json(value)
  return resolve(
    root,
    ref
      .split('/')
      .slice(1)
      .reduce<unknown>((from, key) => json(from)[key], root),
  )
}

/** Of the first media type that carries the plain body; where all are signed, of what the signed message says. */
export function plainSchema(root: Json, holder: Json): unknown {
  const content = Object.entries(json(holder['content']))
  const plain = content.find(([mediaType]) => mediaType !== 'application/jwt')
  if (plain !== undefined) return json(plain[1])['schema']
  return content[0] === undefined ? undefined : messageOf(root, json(content[0][1])['schema'])
}

/** The claims are an object with a member `message`, or several that are one; some files describe the bare message. */
function messageOf(root: Json, schema: unknown): unknown {
  const claims = [schema, resolve(root, schema), ...list(resolve(root, schema)['allOf'])]
  const holder = claims.map((part) => json(json(part)['properties'])).find((members) => 'message' in members)
  return holder === undefined ? schema : holder['message']
}

const LEFT_OUT_NAMES = new Set(LEFT_OUT.flatMap(({ branches }) => branches))
/** Of the branches to leave out, those that were met. */
export const leftOut = new Set<string>()

function isCompared(branch: unknown): boolean {
  const name = nameOf(branch)
  if (LEFT_OUT_NAMES.has(name)) leftOut.add(name)
  return !LEFT_OUT_NAMES.has(name)
}

/**
 * The published schema as it is meant: a closed object that also has `allOf` forbids its own members to each other and
 * accepts nothing, so its parts become one object. So does one that is closed around a choice of objects.
 */
export function meant(root: Json, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => meant(root, item))
  if (typeof value !== 'object' || value === null) return value
  const copy = Object.fromEntries(Object.entries(value).map(([key, member]) => [key, meant(root, member)]))
  for (const choice of ['oneOf', 'anyOf']) {
    if (Array.isArray(copy[choice])) copy[choice] = copy[choice].filter(isCompared)
  }
  if (copy['additionalProperties'] === false && Array.isArray(copy['oneOf']) && copy['properties'] === undefined) {
    const { additionalProperties: _, ...choice } = copy
    return choice
  }
  if (copy['additionalProperties'] !== false || !Array.isArray(copy['allOf'])) return copy
  const { allOf, ...own } = copy
  const parts = [...allOf.map((part: unknown) => resolve(root, part)), own]
  return {
    type: 'object',
    additionalProperties: false,
    properties: Object.assign({}, ...parts.map((part) => meant(root, json(part)['properties']))),
    required: parts.flatMap((part) => list(json(part)['required'])),
  }
}

/** Of a reference, or of a branch that is written out in its place. */
const nameOf = (branch: unknown): string =>
  String(json(branch)['$ref'] ?? json(branch)['title'] ?? '').replace('#/components/schemas/', '')

export type Verdict = (value: unknown) => boolean

/** Compiles schemas of one published document. */
export function createPublishedJudge(root: Json): (schema: unknown) => Verdict {
  const ajv = new Ajv({
    strict: false,
    validateSchema: false,
    validateFormats: true,
    logger: false,
    formats: { ...fullFormats, base64: true },
  })
  ajv.addSchema({
    $id: 'published:document',
    components: { schemas: meant(root, json(root['components'])['schemas']) },
  })
  return (schema) => {
    const absolute = JSON.parse(
      JSON.stringify(meant(root, schema)).replaceAll('"#/components/', '"published:document#/components/'),
    )
    const validate = ajv.compile(absolute)
    return (value) => validate(value) === true
  }
}
