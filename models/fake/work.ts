import type { Core } from './core.js'
import type { ServerError } from './error-body.js'
import type { Reply } from './reply.js'
import type { Task, TaskListener } from './slot.js'

/** The tasks of one call, and the watch on its client: who leaves has his tasks cancelled. */
export class Work {
  over = false
  readonly #taskIds: number[] = []

  constructor (readonly core: Core, readonly reply: Reply) {
    reply.response.once('close', () => {
      if (this.over) return
      this.over = true
      const notice = () => {
        core.left++
        this.#cancel()
        core.changed()
      }
      if (core.settings.disconnectNoticeMs === 0) notice()
      else setTimeout(notice, core.settings.disconnectNoticeMs).unref()
    })
  }

  submit (task: Omit<Task, 'id' | 'listener'>, listener: TaskListener): void {
    const id = this.core.nextTaskId()
    this.#taskIds.push(id)
    this.core.engine.submit({ ...task, id, listener })
  }

  finish (answer: () => void): void {
    this.over = true
    answer()
  }

  /**
   * The first failure answers the call; its other tasks are cancelled.
   * @param bare see `AnswerFormat.bareErrors`
   */
  fail (error: ServerError, bare = false): void {
    if (this.over) return
    this.finish(() => this.reply.error(error, bare))
    this.#cancel()
  }

  #cancel (): void {
    for (const id of this.#taskIds) this.core.engine.cancel(id)
  }
}
