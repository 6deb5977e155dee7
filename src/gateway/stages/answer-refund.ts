import { HubError } from '../../errors.ts'
import { LFI_CODES } from '../../lfi/index.ts'
import { Answer } from '../answer.ts'
import { readLfiJson } from '../lfi-json.ts'
import { stage } from '../stage.ts'

/** The account to which a payment can be returned, and the payments that were made from it. */
export const answerRefund = stage({
  name: 'answer-refund',
  needs: ['owned', 'exchange'],
  adds: [],
  fails: LFI_CODES,
  async run({ owned, exchange }, { refunds, resources, paymentLinks }) {
    const lfiBody = readLfiJson(exchange.attempt, { has404: true })
    const said = (lfiBody as { readonly data?: { readonly consentId?: unknown } } | null)?.data?.consentId
    if (said !== undefined && said !== owned.id) {
      throw new HubError('GenericError', { detail: 'the refund account is of another consent: data.consentId' })
    }
    const ids = await resources.paymentIdsOf(owned.id)
    const type = owned.payment.control.kind === 'file' ? 'cbuae-file-payment' : 'cbuae-payment'
    return new Answer(
      200,
      refunds.read(lfiBody, {
        data: {
          ConsentId: owned.id,
          ...(owned.baseConsentId === null ? {} : { BaseConsentId: owned.baseConsentId }),
        },
        links: {
          Self: `${paymentLinks.consent(owned.id)}/refund`,
          Related: ids.map((id) => paymentLinks.self(type, id)),
        },
      }),
      1,
    )
  },
})
