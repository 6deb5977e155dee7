/** The refund account of the LFI as the TPP's (lfi-api 3.9.4). */
import type { JsonObject } from '../../consent-store/index.ts'
import { HubError } from '../../errors.ts'
import type { SchemaRegistry, Violation } from '../../schema-registry.ts'
import { refund } from '../transform/payments.ts'
import { createQuality } from '../transform/quality.ts'
import { compile } from '../transform/shape.ts'

export type Refunds = {
  /** @throws HubError GenericError: of an account, nothing can be left out */
  read(lfiBody: unknown, own: { readonly data: JsonObject; readonly links: JsonObject }): JsonObject
}

const CONVERT = compile({ members: refund })

export function createRefunds(registry: SchemaRegistry): Refunds {
  const lfi = registry.response('service-initiation', 'getRefund', 200)
  const tpp = registry.response('bank-initiation', 'RetrievePaymentConsentRefund', 200)
  if (lfi === null || tpp === null) throw new Error('a refund has no body')
  return {
    read(lfiBody, { data, links }) {
      refuse(lfi(lfiBody))
      const { data: said } = lfiBody as { readonly data?: unknown }
      if (said === undefined)
        throw new HubError('GenericError', { detail: 'the LFI named no refund account: data required' })
      const body = { Data: { ...(CONVERT(said, createQuality()) as JsonObject), ...data }, Links: links }
      refuse(tpp(body))
      return body
    },
  }
}

function refuse(violations: readonly Violation[]): void {
  const [first] = violations
  if (first === undefined) return
  throw new HubError('GenericError', { detail: `the answer does not have its form: ${first.path} ${first.rule}` })
}
