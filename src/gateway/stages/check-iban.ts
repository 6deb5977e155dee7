import { HubError } from '../../errors.ts'
import { bankCodeOf } from '../iban.ts'
import { stage } from '../stage.ts'

/** A body as its schema lets it through. */
type Asked = { readonly Data: { readonly Identification: string } }

/** A mistyped account number is the asker's to mend, and no LFI's to look for (tpp-api 5.4). */
export const checkIban = stage({
  name: 'check-iban',
  needs: ['body'],
  adds: ['bankCode'],
  fails: ['Body.InvalidFormat'],
  run({ body }) {
    const bankCode = bankCodeOf((body as Asked).Data.Identification)
    if (bankCode === null) {
      const path = 'Data.Identification'
      throw new HubError('Body.InvalidFormat', {
        rule: 'payee.iban',
        reason: `${path} must be an IBAN of the United Arab Emirates`,
        path,
      })
    }
    return { bankCode }
  },
})
