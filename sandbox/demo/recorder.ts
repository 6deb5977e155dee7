/** Steps of the demo: each prints what was asked, what came back and how long it took; a table sums them up. */

/** Takes one line, or several with breaks between them. */
export type Output = (lines: string) => unknown
/** What a step returns: something for the next step, and a line for the reader. */
export type Seen<T> = { readonly value: T; readonly saw: string }
export type Recorder = {
  /** Prints a heading between groups of steps. */
  part(title: string): void
  /** The rest needs it: a failure ends the demo. */
  step<T>(title: string, asked: string, work: () => Promise<Seen<T>>): Promise<T>
  /** Stands alone: a failure is counted and the demo goes on. */
  check(title: string, asked: string, work: () => Promise<Seen<unknown>>): Promise<void>
  /** Prints the table; true when everything held. */
  finish(): boolean
}

type Line = { readonly title: string; readonly saw: string; readonly milliseconds: number; readonly held: boolean }

/** Thrown after the failure has been printed, to leave the demo. */
export class DemoStopped extends Error {}

const TITLE_WIDTH = 42

/** `interactionId` tells the id of the latest call, for the line of the step that made it. */
export function createRecorder(out: Output, interactionId: () => string | null): Recorder {
  const lines: Line[] = []

  const run = async <T>(title: string, asked: string, work: () => Promise<Seen<T>>): Promise<Seen<T> | null> => {
    const before = interactionId()
    const startedAt = performance.now()
    const result = await work().catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))))
    const milliseconds = Math.round(performance.now() - startedAt)
    const held = !(result instanceof Error)
    const saw = held ? result.saw : failureText(result)
    lines.push({ title, saw, milliseconds, held })
    const id = interactionId()
    out(`${held ? '✓' : '✗'} ${String(lines.length).padStart(2)}. ${title}`)
    out(`      asked  ${asked}`)
    out(`      got    ${saw}`)
    out(`      took   ${milliseconds} ms${id === null || id === before ? '' : `   interaction ${id}`}`)
    return result instanceof Error ? null : result
  }

  return {
    part: (title) => void out(`\n${title}\n${'─'.repeat(title.length)}`),
    step: async (title, asked, work) => {
      const seen = await run(title, asked, work)
      if (seen === null) throw new DemoStopped(title)
      return seen.value
    },
    check: async (title, asked, work) => {
      await run(title, asked, work)
    },
    finish: () => {
      out(`\n${table(lines)}`)
      return lines.length > 0 && lines.every((line) => line.held)
    },
  }
}

function table(lines: readonly Line[]): string {
  const rows = lines.map((line, n) => {
    const title = line.title.length > TITLE_WIDTH ? `${line.title.slice(0, TITLE_WIDTH - 1)}…` : line.title
    return `${String(n + 1).padStart(3)}  ${line.held ? 'held  ' : 'FAILED'}  ${title.padEnd(TITLE_WIDTH)} ${String(line.milliseconds).padStart(6)} ms\n`
  })
  const held = lines.filter((line) => line.held).length
  const total = lines.reduce((sum, line) => sum + line.milliseconds, 0)
  const rule = `${'─'.repeat(TITLE_WIDTH + 22)}\n`
  return `${rule}${rows.join('')}${rule}     ${held} of ${lines.length} held${' '.repeat(TITLE_WIDTH - 4)}${String(total).padStart(6)} ms\n`
}

/** The message and its causes, without stacks: the reader wants to know which side said no. */
function failureText(error: Error): string {
  const parts: string[] = []
  for (let at: unknown = error; at instanceof Error && parts.length < 3; at = at.cause) parts.push(at.message)
  return parts.join(' ← ')
}
