/** One request of somebody who is logged in, as pages see it; and what a page is. */
import type { Html, Piece } from '../html.ts'
import type { CorrelationId } from '../ids.ts'
import type { ActName, PageName } from './roles.ts'
import type { Rooms } from './rooms.ts'
import type { Session } from './sessions.ts'
import type { Tongue } from './words/index.ts'

export type Visit = {
  readonly rooms: Rooms
  readonly session: Session
  readonly tongue: Tongue
  /** Path and query as they were asked for: where to come back to after an act. */
  readonly here: string
  readonly query: URLSearchParams
  /** What stands for the placeholders of the page's path, decoded. */
  readonly parameters: Readonly<Record<string, string>>
  /** The act that was tried on this page a moment ago and not done: what is said of it, and its form as it was sent. */
  readonly failed: {
    readonly act: ActName
    readonly form: ReadonlyMap<string, string>
    readonly said: Html
  } | null
  readonly interactionId: CorrelationId
  may(what: PageName | ActName): boolean
}

/** A page, or a file to keep. */
export type Shown =
  | {
      /** Its heading; absent: the name of the page. */
      readonly title?: string
      readonly body: Piece
    }
  | { readonly file: { readonly name: string; readonly type: string; readonly content: string | Buffer } }

export type Page = {
  /** Who may look at it: its row in roles.ts. Its name in the navigation is in words/. */
  readonly name: PageName
  /** `/consents/{id}`: a placeholder is one segment. */
  readonly path: string
  /** Whether it stands in the navigation. */
  readonly isListed: boolean
  /** @throws Refused, HubError */
  show(visit: Visit): Promise<Shown>
}
