import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import autocannon from 'autocannon'
import { Command } from 'commander'
import { answering, cpuMs, freePort, loadCpu, script, start, startProxies, type Proxy } from './processes.js'

/**
 * What a proxy costs on the same work: CPU per streamed event and per request, interleaved, as ratios to nginx. The proxies share one
 * CPU (only one works at a time), stub and load the other. requests/s is the CPU-bound figure (1 s ÷ CPU per request): nginx is faster
 * than the load that one CPU can offer, so the rate that was seen would flatter the others; the busy share is printed beside it.
 */
interface Row { readonly round: number, readonly proxy: string, readonly work: 'stream' | 'request', readonly units: number, readonly cpuUsPerUnit: number, readonly unitsPerSecond: number, readonly busy: number }

const program = new Command('gateway-overhead')
  .description('CPU per streamed event and per request of nginx, bare @fastify/http-proxy and the gateway, interleaved')
  .option('--rounds <n>', 'interleaved rounds', '5')
  .option('--seconds <n>', 'seconds a measurement', '4')
  .option('--streams <n>', 'streams or connections at once', '32')
  .option('--out <file>', 'raw rows as JSON', 'results/gateway-overhead.json')
  .parse()
const options = program.opts<{ rounds: string, seconds: string, streams: string, out: string }>()
const seconds = Number(options.seconds)
const streams = Number(options.streams)

const body = JSON.stringify({ model: 'stub', max_tokens: 64, messages: [{ role: 'user', content: 'hello there' }] })

async function measured (proxy: Proxy, work: Row['work'], round: number): Promise<Row> {
  const url = `${proxy.url}/v1/chat/completions`
  const cpuBefore = cpuMs(proxy.pid)
  const startedAt = performance.now()
  const units = work === 'stream' ? await streamed(url) : await requested(url)
  const wallMs = performance.now() - startedAt
  const cpu = cpuMs(proxy.pid) - cpuBefore
  return { round, proxy: proxy.name, work, units, cpuUsPerUnit: cpu * 1000 / units, unitsPerSecond: units * 1000 / wallMs, busy: cpu / wallMs }
}

async function streamed (url: string): Promise<number> {
  const { stdout } = await promisify(execFile)('taskset', ['-c', String(loadCpu), process.execPath, script('sse-load.js'), url, String(streams), String(seconds)])
  const { events, failed } = JSON.parse(stdout) as { events: number, failed: number }
  if (failed > 0) throw new Error(`${url}: ${failed} streams failed`)
  return events
}

async function requested (url: string): Promise<number> {
  const result = await autocannon({ url, connections: streams, duration: seconds, method: 'POST', body, headers: { 'content-type': 'application/json' } })
  if (result.non2xx + result.errors > 0) throw new Error(`${url}: ${result.non2xx} answers other than 2xx, ${result.errors} errors`)
  return result.requests.total
}

function median (values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return ((sorted[Math.floor((sorted.length - 1) / 2)] ?? NaN) + (sorted[Math.ceil((sorted.length - 1) / 2)] ?? NaN)) / 2
}

await promisify(execFile)('taskset', ['-cp', String(loadCpu), String(process.pid)])
const upstreamPort = await freePort()
start(loadCpu, process.execPath, [script('stub.js'), String(upstreamPort)])
await answering(`http://127.0.0.1:${upstreamPort}/props`)
const proxies = await startProxies(upstreamPort)
const rows: Row[] = []
for (let round = 0; round <= Number(options.rounds); round++) {
  for (const work of ['stream', 'request'] as const) {
    for (const proxy of round % 2 === 0 ? proxies : [...proxies].reverse()) {
      process.stderr.write(`${round === 0 ? 'warm-up' : `round ${round} of ${options.rounds}`}: ${proxy.name}, ${work}\n`)
      const row = await measured(proxy, work, round)
      if (round > 0) rows.push(row)
    }
  }
}
mkdirSync(options.out.replace(/[^/]*$/, '') || '.', { recursive: true })
writeFileSync(options.out, JSON.stringify({ node: process.version, streams, seconds, rows }, null, 2) + '\n')
const cell = (proxy: string, work: Row['work'], key: 'cpuUsPerUnit' | 'busy'): number => median(rows.filter(row => row.proxy === proxy && row.work === work).map(row => row[key]))
const ratio = (proxy: string, work: Row['work']): number => median(rows.filter(row => row.proxy === proxy && row.work === work).map(row => row.cpuUsPerUnit / (rows.find(other => other.round === row.round && other.work === work && other.proxy === 'nginx')?.cpuUsPerUnit ?? NaN)))
console.log(`${streams} streams or connections, medians of ${options.rounds} interleaved rounds, Node ${process.version}`)
console.log('proxy             CPU µs/event  ÷ nginx   CPU µs/request  requests/s ÷ nginx  busy')
for (const { name } of proxies) {
  console.log(`${name.padEnd(18)}${cell(name, 'stream', 'cpuUsPerUnit').toFixed(1).padStart(12)}${ratio(name, 'stream').toFixed(2).padStart(9)}${cell(name, 'request', 'cpuUsPerUnit').toFixed(1).padStart(17)}${(1 / ratio(name, 'request')).toFixed(2).padStart(20)}${cell(name, 'request', 'busy').toFixed(2).padStart(6)}`)
}
process.exit(0)
