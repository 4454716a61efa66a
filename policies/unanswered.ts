/**
 * Thrown by the innermost `next` when upstream gave no answer but may still work on the call: a client that left before the
 * headers holds its slot until the running batch is done (L7). `admission` keeps the places until `released` settles.
 */
export class Unanswered extends Error {
  override readonly name = 'Unanswered'

  constructor (message: string, readonly released: Promise<void>, options?: ErrorOptions) {
    super(message, options)
  }
}
