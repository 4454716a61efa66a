import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { ensureModel } from '../../models/ensure-model.js'
import { findServer } from '../../models/find.js'
import { startServer } from '../../models/start.js'

/**
 * Run in the VM by vm.system.ts: llama-server in a cgroup of its own, some tokens without and with a CPU quota.
 * Prints the group's counters of both, and which CPU variant the server loaded, as JSON.
 */
const group = `${groupOfOurs()}/weir-test`

/** Root: the root group. An ordinary user: the delegated one that we are in, left free of processes, as a group with children must be. */
function groupOfOurs (): string {
  const [, path = ''] = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8')) ?? []
  if (path === '/') return '/sys/fs/cgroup'
  const own = `/sys/fs/cgroup${path}`
  mkdirSync(`${own}/us`)
  writeFileSync(`${own}/us/cgroup.procs`, String(process.pid))
  writeFileSync(`${own}/cgroup.subtree_control`, '+cpu')
  return own
}

function counters (): Record<string, number> {
  return Object.fromEntries(readFileSync(`${group}/cpu.stat`, 'utf8').trim().split('\n').map(line => line.split(' ')).map(([name = '', value]) => [name, Number(value)]))
}

mkdirSync(group)
const server = await startServer({
  binary: await findServer(),
  model: await ensureModel('tiny'),
  slots: 1,
  slotContextTokens: 512,
  // Two emulated threads that spin for each other take minutes on a busy host.
  threads: 1,
  batchTokens: 128,
  enter: ['sh', '-c', `echo $$ >${group}/cgroup.procs && exec "$@"`, 'sh'],
  logPath: '/tmp/llama-server.log'
})
try {
  const complete = async (): Promise<Record<string, number>> => {
    const answer = await fetch(`${server.url}/completion`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.apiKey}` },
      body: JSON.stringify({ prompt: 'one two', n_predict: 20, ignore_eos: true })
    })
    if (!answer.ok) throw new Error(`llama-server answered ${answer.status}`)
    await answer.text()
    return counters()
  }
  const free = await complete()
  writeFileSync(`${group}/cpu.max`, '50000 250000')
  let throttled = await complete()
  // A fast CPU does the first of them within the quota of its periods.
  for (let more = 0; more < 50 && throttled['nr_throttled'] === 0; more++) throttled = await complete()
  const maps = readFileSync(`/proc/${server.pid}/maps`, 'utf8')
  const variants = new Set([...maps.matchAll(/libggml-cpu-\w+\.so/g)].map(match => match[0]))
  console.log(JSON.stringify({ free, throttled, variants: [...variants] }))
} finally {
  await server.stop()
  rmdirSync(group)
}
