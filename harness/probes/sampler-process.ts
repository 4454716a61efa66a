/**
 * The sampler as a process of its own: arguments PID URL FILE, the server's API key in the environment (API_KEY_VARIABLE).
 * Appends OsSample lines to FILE, prints `ready` after the first. Ends at SIGTERM, or when its stdin is closed (its parent is
 * gone), with all lines written.
 */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { SAMPLE_MS, createSampler } from './sampler.js'
import { API_KEY_VARIABLE } from './start-sampler.js'

/** Samples: one write a second, since each one wakes another thread. So a sampler that is killed loses its last second. */
const WRITE_EVERY = 10

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
  let waiting = 0
  function flush (): void {
    if (lines !== '') out.write(lines)
    lines = ''
    waiting = 0
  }
  function take (): void {
    lines += `${JSON.stringify(sampler.sample())}\n`
    if (++waiting === WRITE_EVERY) flush()
  }
  take()
  flush()
  process.stdout.write('ready\n')
  const ticker = setInterval(take, SAMPLE_MS)
  if (!stop.signal.aborted) await once(stop.signal, 'abort')
  clearInterval(ticker)
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
