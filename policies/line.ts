import type { Queue, QueueAddOptions } from 'p-queue'

type Run = () => Promise<unknown>

/**
 * The queue class of `admission`'s p-queue: every run waits under the id of its call, and only ids in `granted` (start
 * effects of the schedule, in their order) may be taken out. `size` counts those, so p-queue idles while nobody is let in.
 */
export function lineFor (granted: string[]): new () => Queue<Run, QueueAddOptions> {
  return class Line implements Queue<Run, QueueAddOptions> {
    readonly #waiting = new Map<string, Run>()

    get size (): number { return granted.length }

    enqueue (run: Run, options?: Partial<QueueAddOptions>): void {
      if (options?.id === undefined) throw new TypeError('Line.enqueue: a run needs the id of its call; give `id` to `queue.add`')
      this.#waiting.set(options.id, run)
    }

    dequeue (): Run | undefined {
      const id = granted.shift()
      if (id === undefined) return undefined
      const run = this.#waiting.get(id)
      this.#waiting.delete(id)
      return run
    }

    filter (): Run[] {
      return granted.flatMap(id => this.#waiting.get(id) ?? [])
    }

    setPriority (id: string): void {
      throw new Error(`Line.setPriority: the order is the schedule's; the priority of ${id} cannot be set in the queue`)
    }

    /** p-queue calls it when the signal of a run that still waits aborts. */
    remove (id: string): void {
      this.#waiting.delete(id)
    }
  }
}
