/** The first SIGINT or SIGTERM asks; a second SIGINT ends the process at once, as a person would expect. */
export function untilAskedToStop(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const asked = (signal: NodeJS.Signals) => {
      process.once('SIGINT', () => process.exit(130))
      resolve(signal)
    }
    process.once('SIGINT', asked)
    process.once('SIGTERM', asked)
    // Started by a parent over a channel: without the parent nobody would ever stop this process.
    process.once('disconnect', () => asked('SIGTERM'))
    // Listening for that must not be what keeps a finished process alive.
    process.channel?.unref()
  })
}
