import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

export const proxyCpu = 1
export const loadCpu = 0
const children: ChildProcess[] = []
// SIGTERM: nginx takes its worker along only when it is asked.
process.on('exit', () => { for (const child of children) child.kill('SIGTERM') })

/** Starts a program on one CPU; it is ended when the benchmark ends. */
export function start (cpu: number, command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const child = spawn('taskset', ['-c', String(cpu), command, ...args], { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, ...env } })
  children.push(child)
  return child
}

export async function freePort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

/** Waits until something answers there; fails after 20 s. */
export async function answering (url: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    try { await (await fetch(url)).arrayBuffer(); return } catch { await sleep(100) }
  }
  throw new Error(`${url} did not answer within 20 s`)
}

/** Compiled neighbour of this file. */
export function script (name: string): string {
  return fileURLToPath(new URL(name, import.meta.url))
}

/** CPU time of a process and its children (nginx has a worker), milliseconds; clock ticks of 10 ms. */
export function cpuMs (pid: number): number {
  const pids = [pid, ...readdirSync('/proc').filter(name => /^\d+$/.test(name)).map(Number).filter(other => parentOf(other) === pid)]
  return pids.reduce((sum, each) => sum + ticksOf(each) * 10, 0)
}

function statOf (pid: number): string[] {
  try { return readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ') } catch { return [] }
}

const parentOf = (pid: number): number => Number(statOf(pid)[1])
const ticksOf = (pid: number): number => Number(statOf(pid)[11] ?? 0) + Number(statOf(pid)[12] ?? 0)

export interface Proxy {
  readonly name: string
  readonly url: string
  readonly pid: number
}

/** nginx (one worker, no access log, keep-alive upstream, no buffering), bare @fastify/http-proxy, and the gateway with all policies and its log. */
export async function startProxies (upstreamPort: number): Promise<Proxy[]> {
  const folder = mkdtempSync(`${tmpdir()}/weir-overhead-`)
  const ports = { nginx: await freePort(), 'bare http-proxy': await freePort(), gateway: await freePort() }
  writeFileSync(`${folder}/nginx.conf`, `
    daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/error.log;
    events { worker_connections 4096; }
    http {
      access_log off; client_body_temp_path ${folder}; proxy_temp_path ${folder}; fastcgi_temp_path ${folder}; uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
      upstream llama { server 127.0.0.1:${upstreamPort}; keepalive 512; }
      server { listen 127.0.0.1:${ports.nginx} reuseport; keepalive_requests 1000000;
        location / { proxy_pass http://llama; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; } }
    }`)
  writeFileSync(`${folder}/gateway.json`, JSON.stringify({
    listen: { host: '127.0.0.1', port: ports.gateway },
    upstream: { url: `http://127.0.0.1:${upstreamPort}` },
    policies: [{ name: 'prompt-cap', maxPromptTokens: 2048 }, { name: 'admission', slots: 512 }],
    log: { file: `${folder}/gateway.ndjson` }
  }))
  const started: Record<string, ChildProcess> = {
    nginx: start(proxyCpu, 'nginx', ['-p', folder, '-c', `${folder}/nginx.conf`]),
    'bare http-proxy': start(proxyCpu, process.execPath, [script('bare-http-proxy.js'), String(ports['bare http-proxy']), `http://127.0.0.1:${upstreamPort}`]),
    gateway: start(proxyCpu, process.execPath, [script('../../gateway/cli.js'), '--config', `${folder}/gateway.json`])
  }
  return await Promise.all(Object.entries(ports).map(async ([name, port]) => {
    const url = `http://127.0.0.1:${port}`
    await answering(`${url}/props`)
    return { name, url, pid: started[name]?.pid ?? 0 }
  }))
}
