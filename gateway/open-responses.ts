import type { Server } from 'node:http'
import { onceClosed } from './client-connection.js'

/** Counts the requests of a server whose responses are not written out yet, whatever route they are on. */
export class OpenResponses {
  #open = 0
  #onNone: (() => void) | undefined

  constructor (server: Server) {
    server.on('request', (_request, response) => {
      this.#open++
      onceClosed(response, () => {
        this.#open--
        if (this.#open === 0) this.#onNone?.()
      })
    })
  }

  /** Settles as soon as no response is open. */
  async none (): Promise<void> {
    if (this.#open === 0) return
    await new Promise<void>(resolve => { this.#onNone = resolve })
  }
}
