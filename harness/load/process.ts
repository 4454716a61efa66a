/**
 * The load generator as a process of its own: a LoadJob as JSON on stdin, samples appended to its `outPath`, LoadEvent lines on
 * stdout. SIGTERM stops sending; what was under way is recorded as unanswered. Exit code 1 after an `error` event, else 0.
 * With the argument `rehearse` it makes calls to itself while it waits for its job; see `rehearse`.
 */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { text } from 'node:stream/consumers'
import { parseJob, type LoadEvent, type LoadJob } from './job.js'
import { rehearse } from './rehearse.js'
import { runJob } from './run-job.js'

const PROGRESS_MS = 500
/** The monitor counts its own interval as delay; it is taken off. A timer as often as this is work: streams share their CPUs with the server. */
const delayResolutionMs = (job: LoadJob): number => job.phase === 'streams' ? 25 : 5

async function main (): Promise<void> {
  const stop = new AbortController()
  process.on('SIGTERM', () => stop.abort())
  process.on('SIGINT', () => stop.abort())
  process.stdout.on('error', () => stop.abort())

  const [json] = await Promise.all([text(process.stdin), process.argv.includes('rehearse') ? rehearse() : undefined])
  const job = parseJob(JSON.parse(json))
  const out = createWriteStream(job.outPath, { flags: 'a' })
  await once(out, 'open')
  const delay = monitorEventLoopDelay({ resolution: delayResolutionMs(job) })
  let ticker: NodeJS.Timeout | undefined
  try {
    const summary = await runJob(job, {
      signal: stop.signal,
      onSample: sample => { out.write(`${JSON.stringify(sample)}\n`) },
      onStart (progress) {
        delay.enable()
        tell({ event: 'progress', progress: progress() })
        ticker = setInterval(() => tell({ event: 'progress', progress: progress() }), PROGRESS_MS)
      }
    })
    out.end()
    await once(out, 'finish')
    tell({ event: 'summary', summary: { ...summary, eventLoopDelayMaxMs: Math.max(0, delay.max / 1e6 - delayResolutionMs(job)) } })
  } finally {
    clearInterval(ticker)
    delay.disable()
  }
}

function tell (event: LoadEvent): void {
  process.stdout.write(`${JSON.stringify(event)}\n`)
}

main().catch((error: unknown) => {
  tell({ event: 'error', message: error instanceof Error ? error.message : String(error) })
  process.exitCode = 1
})
