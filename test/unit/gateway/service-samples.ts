/** Bodies of the services, made from the documents: complete ones, and every valid one that is a step away. */
import { isService, ROUTES, type ServiceRoute } from '../../../src/gateway/routes.ts'
import { loadSchemas } from '../../../src/schema-registry.ts'
import { type Instance, instancesOf } from '../../schemas/instances.ts'

export const registry = loadSchemas()
export const SERVICE_ROUTES: readonly ServiceRoute[] = ROUTES.filter(isService)

/** There are thousands, and making them takes longer than using them. */
function once(make: (route: ServiceRoute) => readonly Instance[]): (route: ServiceRoute) => readonly Instance[] {
  const made = new Map<ServiceRoute, readonly Instance[]>()
  return (route) => {
    const known = made.get(route) ?? make(route)
    made.set(route, known)
    return known
  }
}

const KINDS_OF_VALID = new Set(['complete', 'least'])
const sound = (all: Iterable<Instance>, isValid: (value: unknown) => boolean): readonly Instance[] =>
  [...all].filter(({ value }) => isValid(value))

/** Answers of the LFI that its document accepts. */
export const lfiAnswers = once((route) => {
  const { document, operationId, answers } = route.lfi
  const schema = registry.responseSchema(document, operationId, answers)
  const check = registry.response(document, operationId, answers)
  return schema === null ? [] : sound(instancesOf({}, schema), (value) => check?.(value).length === 0)
})

/** The same answers, made from what the TPP's document accepts: with these nothing may be wrong. */
export const mutualAnswers = once((route) => {
  const schema = registry.responseSchema(route.document, route.operationId, route.answers)
  const check = registry.response(route.document, route.operationId, route.answers)
  const lfi = registry.response(route.lfi.document, route.lfi.operationId, route.lfi.answers)
  if (schema === null) return []
  return (
    sound(instancesOf({}, schema), (value) => check?.(value).length === 0)
      .map((instance) => ({ ...instance, value: turned(instance.value) }))
      // A member that nobody has named is dropped, which is another test.
      .filter(({ kind, value }) => kind !== 'unknown member' && lfi?.(value).length === 0)
  )
})

function turned(body: unknown): unknown {
  const { Data, Links, Meta } = body as Readonly<Record<string, unknown>>
  return { data: Data, ...(Links === undefined ? {} : { links: Links }), ...(Meta === undefined ? {} : { meta: Meta }) }
}

/** Bodies of the TPP that its document accepts. */
export const tppBodies = once((route) => {
  const schema = registry.requestSchema(route.document, route.operationId)
  const check = registry.requestBody(route.document, route.operationId)
  return schema === null ? [] : sound(instancesOf({}, schema), (value) => check?.(value).length === 0)
})

/** The first complete one. */
export function complete(instances: readonly Instance[]): unknown {
  const found = instances.find(({ kind, at }) => kind === 'complete' && at === '')
  if (found === undefined) throw new Error('no complete instance')
  return structuredClone(found.value)
}

export const isWhole = ({ kind }: Instance): boolean => KINDS_OF_VALID.has(kind)
