/** The message of whatever was thrown, with the causes behind it: `fetch failed: getaddrinfo ENOTFOUND example.org`. */
export function errorMessage (thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown)
  const own = thrown.message === '' ? thrown.name : thrown.message
  return thrown.cause === undefined ? own : `${own}: ${errorMessage(thrown.cause)}`
}
