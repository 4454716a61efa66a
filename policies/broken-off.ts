/** Why an answer ends that we break off ourselves; the client gets these words instead of those for an upstream that did. */
export class BrokenOff extends Error {
  override readonly name = 'BrokenOff'

  /** @param reason the word of `X-Weir-Reason` and of the record */
  constructor (message: string, readonly status: number, readonly reason: string) {
    super(message)
  }
}
