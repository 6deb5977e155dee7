/**
 * doConfirm and doFail: the end of a journey (lfi-api 1.4, 1.5). The engine is resumed with the LFI's result, and what
 * it makes of it — grant, code, the used request_uri — is written together with the claim to have ended the journey,
 * of which there is one. Whoever never got the answer repeats its call and gets it.
 */
import { createHash } from 'node:crypto'
import { errors, type InteractionResults, type KoaContextWithOIDC } from 'oidc-provider'
import { mediaType, parseForm, readBody } from '../body.ts'
import type { Consent } from '../consent-store/index.ts'
import type { Tx } from '../db.ts'
import { HubError } from '../errors.ts'
import type { InteractionId } from '../ids.ts'
import type { HubContext } from '../listener.ts'
import { type CompletionDeps, confirmation, failure } from './completion.ts'
import { redirectTo, returnFault, withPublishedError } from './error-redirect.ts'
import { claimsIn, type IdTokenClaims } from './id-token-claims.ts'
import type { AnswerKey, KeptAnswers } from './kept-answers.ts'
import { answerOAuthError } from './oauth-answer.ts'
import type { Unit } from './unit-of-work.ts'

export type JourneyEndDeps = CompletionDeps & {
  readonly answers: KeptAnswers
  /** Known to the configuration, not to the database: what kept answers are encrypted with. */
  readonly answerSecret: string
}
export type Ending = {
  readonly operation: 'doConfirm' | 'doFail'
  readonly interactionId: InteractionId
  readonly unit: Unit
  /** Told as soon as it is known whose journey it is. */
  readonly about: (consent: Consent) => void
  /** Commits the unit with its audit entries, when the answer is on the context. */
  readonly write: () => Promise<void>
  /** On to the engine. */
  readonly next: () => Promise<unknown>
}
type Form = ReadonlyMap<string, string>
type Asked = { readonly form: Form; readonly claims: IdTokenClaims; readonly consent: Consent }

const FORM = 'application/x-www-form-urlencoded'
const FORM_BYTES_MAX = 16_384

/** Somebody else has claimed the end of the journey. */
class AlreadyEnded extends Error {}

export async function endJourney(ctx: HubContext, deps: JourneyEndDeps, ending: Ending): Promise<void> {
  const { operation, interactionId, unit } = ending
  const form = await readForm(ctx)
  // Before anything is claimed: what is malformed may be sent again.
  const claims = operation === 'doConfirm' ? claimsIn(form) : {}
  const consent = await deps.consents.byInteraction(interactionId)
  if (consent === null) throw new HubError('NotFound')
  ending.about(consent)
  const key = answerKey(deps, ending, form)
  try {
    await end(ctx, deps, ending, { form, claims, consent }, key)
  } catch (thrown) {
    if (!(thrown instanceof AlreadyEnded)) throw thrown
    unit.forget()
    // What the engine has made of this call is not written, so it is not to be seen either.
    ctx.remove('location')
    const location = await deps.answers.again(ctx.res, key)
    if (typeof location === 'string') redirectTo(ctx, location)
    else answerOAuthError(ctx, 400, 'invalid_request', 'the interaction has expired or was already completed')
  }
}

async function end(ctx: HubContext, deps: JourneyEndDeps, ending: Ending, asked: Asked, key: AnswerKey): Promise<void> {
  const { interactionId, unit, write } = ending
  const { consent } = asked
  const interaction = await deps.provider.Interaction.find(interactionId)
  if (interaction === undefined || consent.completedAt !== null) throw new AlreadyEnded()
  // Exactly one doConfirm or doFail gets past this, once it is written.
  const claim = async (tx: Tx) => {
    if (!(await deps.consents.claimCompletion(tx, consent.id, interactionId))) throw new AlreadyEnded()
  }
  unit.join(claim)
  /** The journey ends and gives nothing. */
  const giveNothing = async () => {
    unit.withdraw()
    unit.join(claim)
    await interaction.destroy()
  }
  /** lfi-api 1.4, 1.5: also what fails here is told to the TPP. */
  const tellFault = (cause: unknown) =>
    returnFault(ctx, deps, interaction.params, new HubError('GenericError', { cause }))
  const keepAndWrite = async (grantId: string | null) => {
    await deps.answers.keep(unit, ctx.res, key, { answer: ctx.response.get('location'), grantId })
    await write()
  }

  let grantId: string | null = null
  try {
    const result = await resultOf(deps, ending, asked)
    grantId = result.consent?.grantId ?? null
    await resume(ctx, deps, ending, result)
    if (!unit.gives('AuthorizationCode')) await giveNothing()
  } catch (thrown) {
    await giveNothing()
    await tellFault(thrown)
  }
  try {
    await keepAndWrite(grantId)
  } catch (thrown) {
    // The consent has ended meanwhile, or the request_uri was used. Anything else may pass, and the LFI may repeat.
    if (!(thrown instanceof HubError || thrown instanceof errors.OIDCProviderError)) throw thrown
    await giveNothing()
    await tellFault(thrown)
    await keepAndWrite(null)
  }
}

const resultOf = async (
  deps: JourneyEndDeps,
  { operation, unit }: Ending,
  { consent, form, claims }: Asked,
): Promise<InteractionResults> =>
  operation === 'doConfirm' ? confirmation(deps, unit, consent, form, claims) : failure(form)

/** A repeated call says the same of the same journey. */
function answerKey({ answerSecret }: JourneyEndDeps, { operation, interactionId }: Ending, form: Form): AnswerKey {
  const said = createHash('sha256')
    .update(JSON.stringify([...form]))
    .digest('base64url')
  return { secret: `${answerSecret} ${interactionId}`, about: [operation, said] }
}

async function readForm(ctx: HubContext): Promise<Form> {
  const body = await readBody(ctx.req, FORM_BYTES_MAX)
  if (body.length > 0 && mediaType(ctx.get('content-type')) !== FORM) throw new HubError('UnsupportedMediaType')
  return parseForm(body)
}

/** The id in the path is all that the engine's two cookies would hold. */
async function resume(
  ctx: HubContext,
  deps: JourneyEndDeps,
  { interactionId, next }: Ending,
  result: InteractionResults,
): Promise<void> {
  const cookies = ['interaction', 'resume'].map((name) => `${deps.provider.cookieName(name)}=${interactionId}`)
  ctx.req.headers.cookie = cookies.join('; ')
  const address = await deps.provider.interactionResult(ctx.req, ctx.res, result, { mergeWithLastSubmission: false })
  ctx.method = 'GET'
  ctx.path = new URL(address).pathname
  ctx.querystring = ''
  await next()
  await assertEnded(ctx, deps, interactionId)
}

/** The engine must have answered the TPP; a further prompt would be a question to a browser that is not there. */
async function assertEnded(ctx: HubContext, { provider }: JourneyEndDeps, interactionId: InteractionId): Promise<void> {
  const again = (ctx as unknown as KoaContextWithOIDC).oidc?.entities.Interaction
  if (again !== undefined && again.uid !== interactionId) throw new Error('the engine asked for a further prompt')
  if (ctx.status !== 303) throw new Error(`the engine ended an interaction with status ${ctx.status}`)
  redirectTo(ctx, await withPublishedError(provider, ctx.response.get('location')))
}
