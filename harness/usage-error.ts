/** A mistake of the user's: the message says what, where and what is allowed; printed without a stack trace, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
