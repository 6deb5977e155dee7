import { REQUESTS } from '../requests.ts'
import { stage } from '../stage.ts'

type Body = { readonly Data?: Readonly<Record<string, unknown>> }

/**
 * The TPP's quote has a place for words about its status, the LFI's has none: it says them in the log (lfi-api 3.11). They
 * are told with the status that they were said about, and with no other. An answer that has words all the same is newer.
 */
export const addWords = stage({
  name: 'add-words',
  needs: ['requested', 'translation'],
  adds: ['translation'],
  fails: [],
  run({ requested, translation }) {
    const { words, kind, status } = requested
    const body = translation.body as Body | null
    const isAboutIt = body?.Data?.[REQUESTS[kind].status] === status
    if (words === null || !isAboutIt || body.Data?.['AdditionalStatusInformation'] !== undefined) return { translation }
    return {
      translation: { ...translation, body: { ...body, Data: { ...body.Data, AdditionalStatusInformation: words } } },
    }
  },
})
