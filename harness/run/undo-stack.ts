/** What must be put back, latest first, on every way out. */
export interface UndoStack {
  /** @param what for the message when it fails */
  push (what: string, undo: () => Promise<void>): void
  /** Pushes the stop of something that is being started, once it is; gives it on. */
  pushed<T extends { stop (): Promise<unknown> }> (what: string, starting: Promise<T>): Promise<T>
  /**
   * Takes all back, latest first, each once, whatever became of the others.
   * @throws Error that names what could not be put back
   */
  unwind (): Promise<void>
}

export function createUndoStack (): UndoStack {
  const steps: Array<{ readonly what: string, readonly undo: () => Promise<void> }> = []
  return {
    push: (what, undo) => { steps.push({ what, undo }) },
    async pushed (what, starting) {
      const started = await starting
      steps.push({ what, undo: async () => { await started.stop() } })
      return started
    },
    async unwind () {
      const failures: string[] = []
      for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
        try {
          await step.undo()
        } catch (error) {
          failures.push(`${step.what}: ${errorText(error)}`)
        }
      }
      if (failures.length > 0) throw new Error(`not everything could be put back; ${failures.join('; ')}`)
    }
  }
}

/** Runs `work` and takes back what it pushed, also when it throws; a failure of both is told as one, the first cause first. */
export async function withUndo<T> (work: (undo: UndoStack) => Promise<T>): Promise<T> {
  const undo = createUndoStack()
  let result: T
  try {
    result = await work(undo)
  } catch (error) {
    await undo.unwind().catch((second: unknown) => { throw new Error(`${errorText(error)}; and ${errorText(second)}`, { cause: error }) })
    throw error
  }
  await undo.unwind()
  return result
}

function errorText (error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
