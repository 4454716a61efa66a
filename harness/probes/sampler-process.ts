/**
 * The sampler as a process of its own: arguments PID URL FILE, the server's API key in the environment (API_KEY_VARIABLE).
 * Appends OsSample lines to FILE, prints `ready` after the first. Ends at SIGTERM, or when its stdin is closed (its parent is
 * gone), with all lines written.
 */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { nowMs } from '../clock.js'
import { SAMPLES, createSampler, ownCpuUsec } from './sampler.js'
import { API_KEY_VARIABLE } from './start-sampler.js'
import { createTurns } from './turns.js'

/** One write a second, since each one wakes another thread. So a sampler that is killed loses its last second. */
const WRITE_EVERY_MS = 1000

async function main (): Promise<void> {
  const [pid = '', serverUrl = '', outPath = ''] = process.argv.slice(2)
  if (!/^\d+$/.test(pid) || !URL.canParse(serverUrl) || outPath === '') throw new Error(`arguments are ${JSON.stringify([pid, serverUrl, outPath])}; they must be a process id, a URL and a file`)
  const stop = new AbortController()
  process.on('SIGTERM', () => stop.abort())
  process.on('SIGINT', () => stop.abort())
  process.stdin.on('close', () => stop.abort())
  process.stdin.resume()

  const out = createWriteStream(outPath, { flags: 'a' })
  await once(out, 'open')
  const sampler = createSampler({ pid: Number(pid), serverUrl, apiKey: process.env[API_KEY_VARIABLE] })
  let lines = ''
  let writtenMs = -Infinity
  function flush (): void {
    if (lines !== '') out.write(lines)
    lines = ''
  }
  function take (): void {
    const sample = sampler.sample()
    lines += `${JSON.stringify(sample)}\n`
    if (sample.atMs < writtenMs + WRITE_EVERY_MS) return
    writtenMs = sample.atMs
    flush()
  }
  // From one sample to the next by what all between the last two of them has cost: reading, writing, answers, garbage.
  const turns = createTurns(SAMPLES)
  let last = { cpuUsec: ownCpuUsec() }
  function takeTurns (): void {
    const now = { atMs: nowMs(), cpuUsec: ownCpuUsec() }
    take()
    turns.took(now.atMs, now.cpuUsec - last.cpuUsec)
    last = now
    timer = setTimeout(takeTurns, turns.waitMs(nowMs()))
  }
  take()
  process.stdout.write('ready\n')
  let timer = setTimeout(takeTurns, SAMPLES.atLeastMs)
  if (!stop.signal.aborted) await once(stop.signal, 'abort')
  clearTimeout(timer)
  lines += `${JSON.stringify(sampler.sample({ last: true }))}\n`
  sampler.close()
  flush()
  out.end()
  await once(out, 'finish')
  process.exit()
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
})
