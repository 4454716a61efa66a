/** Shows where a long run is: a spinner on a terminal, plain lines in a file or a pipe. */
import ora from 'ora'
import { formatSeconds } from './format.js'
import { sanitise } from './text.js'

export interface Progress {
  /** What runs now; `fractionDone` of the whole, 0 to 1. */
  step (text: string, fractionDone: number): void
  /** A line that stays. */
  note (text: string): void
  /** Ends the display; later calls do nothing. */
  done (): void
}

const PLAIN_EVERY_MS = 10_000
const REDRAW_EVERY_MS = 1_000
/** Below this the pace of the run itself says less than the plan. */
const TRUST_PACE_FROM = 0.05

/** `2 min 05 s, 4 min 10 s left`. `totalSeconds` is what the plan expects; used until the run has shown its own pace. */
export function timesText (elapsedSeconds: number, fractionDone: number, totalSeconds: number): string {
  const left = fractionDone >= TRUST_PACE_FROM ? elapsedSeconds / fractionDone * (1 - Math.min(1, fractionDone)) : totalSeconds - elapsedSeconds
  return `${formatSeconds(elapsedSeconds)}, ${formatSeconds(left)} left`.replaceAll('\u00a0', ' ')
}

/** Writes to `stream` (normally stderr). A plain stream gets a line when the text changes, else at most one every 10 s. */
export function createProgress (stream: NodeJS.WriteStream, totalSeconds: number, nowMs: () => number = () => performance.now()): Progress {
  const startedAtMs = nowMs()
  const current = { text: '', fraction: 0 }
  let over = false
  const line = (): string => `${current.text} (${timesText((nowMs() - startedAtMs) / 1000, current.fraction, totalSeconds)})`
  const take = (text: string, fractionDone: number): void => {
    current.text = sanitise(text)
    current.fraction = Math.min(1, Math.max(0, fractionDone))
  }
  return stream.isTTY ? onTerminal() : plain()

  function onTerminal (): Progress {
    // The keyboard stays ours: Ctrl-C must reach the run as SIGINT.
    const spinner = ora({ stream, isEnabled: true, discardStdin: false }).start('starting')
    const timer = setInterval(() => { spinner.text = line() }, REDRAW_EVERY_MS)
    timer.unref()
    return {
      step (text, fractionDone) {
        if (over) return
        take(text, fractionDone)
        spinner.text = line()
      },
      note (text) {
        if (over) return
        spinner.clear()
        stream.write(`${sanitise(text)}\n`)
        spinner.render()
      },
      done () {
        if (over) return
        over = true
        clearInterval(timer)
        spinner.stop()
      }
    }
  }

  function plain (): Progress {
    let written = { text: '', atMs: -Infinity }
    return {
      step (text, fractionDone) {
        if (over) return
        take(text, fractionDone)
        if (current.text === written.text && nowMs() - written.atMs < PLAIN_EVERY_MS) return
        written = { text: current.text, atMs: nowMs() }
        stream.write(`${line()}\n`)
      },
      note (text) {
        if (!over) stream.write(`${sanitise(text)}\n`)
      },
      done () {
        over = true
      }
    }
  }
}
