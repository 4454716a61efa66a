/** A mistake of whoever starts the gateway: one line that says what is wrong and what to do; exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
