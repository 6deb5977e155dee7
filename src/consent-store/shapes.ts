/** Forms of data that more than one file of the consent store is about. */
export type NonEmpty<T> = readonly [T, ...T[]]
export type JsonObject = Readonly<Record<string, unknown>>

export type Subscription = { readonly Webhook: { readonly Url: string; readonly IsActive: boolean } }
/** One element of `authorization_details`, as the TPP pushed it and as the schema of its type accepted it. */
export type RarElement = {
  readonly type: string
  readonly consent: JsonObject
  readonly subscription?: Subscription
}
