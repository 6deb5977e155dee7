/** A fault that a person can mend; told without a stack. */
export class SandboxError extends Error {
  override readonly name = 'SandboxError'
}
