import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { cacheFolder } from '../../models/cache.js'
import { ensureModel } from '../../models/ensure-model.js'
import { acceleration } from './accel.js'
import { missingForSystemd, needProgram } from './machine.js'
import { runHarnessInVm } from './run-harness.js'
import { runInVm } from './run-in-vm.js'
import { VmTimeoutError } from './types.js'
import type { VmResult, VmRunOptions } from './types.js'

/** Needs QEMU (`harness vm doctor`); the kernel is downloaded. */
const program = fileURLToPath(new URL('../cli.js', import.meta.url))
const throttledServer = fileURLToPath(new URL('testing-throttled-server.js', import.meta.url))

async function inVm (script: string, options: Partial<VmRunOptions> = {}): Promise<VmResult & { readonly out: string, readonly err: string }> {
  const text = { out: '', err: '' }
  const result = await runInVm({ command: ['sh', '-c', script], timeoutSeconds: 240, onOutput: (stream, data) => { text[stream] += data.toString() }, ...options })
  return { ...result, ...text }
}

/** Run folders and QEMU processes of the VMs that a process started. */
function leftOver (owner: number | undefined): string[] {
  const runs = readdirSync(join(cacheFolder(), 'vm')).filter(name => name.startsWith(`run-${owner}-`))
  const qemus = readdirSync('/proc').filter(pid => /^\d+$/.test(pid)).filter(pid => {
    try { return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`/vm/run-${owner}-`) } catch { return false }
  })
  return [...runs, ...qemus]
}

t.test('the firmware that tries KVM counts and ends QEMU: seen with an emulated CPU, which every machine has', async t => {
  const path = join(t.testdir({ kvm: '' }), 'qemu')
  writeFileSync(path, `#!/bin/bash\nexec ${await needProgram('qemu')} "\${@/accel=kvm/accel=tcg}"\n`, { mode: 0o755 })
  t.strictSame(await acceleration(join(t.testdirName, 'kvm'), path), { accel: 'kvm' })
})

t.test('root, cgroup v2 with all controllers, output and exit code come back, the host is not written to', async t => {
  const [out, written] = [t.testdir(), join(t.testdirName, '..', `written-in-vm-${process.pid}`)]
  const { exitCode, out: said, err, accel, kernel } = await inVm(`
    id -u; cat /sys/fs/cgroup/cgroup.controllers; mkdir /sys/fs/cgroup/x; ls /sys/fs/cgroup/x
    touch '${written}' && test -e '${written}' && echo written >&2
    echo "stalls: $(cat /proc/sys/kernel/panic_on_rcu_stall) $(cat /sys/module/rcupdate/parameters/rcu_cpu_stall_timeout)"
    echo result >"$WEIR_OUT/file"; pwd; uname -r; echo "$WEIR_VM"; cat /proc/swaps; ls /sys/class/net
    sleep 1000 & setsid sleep 1000 &
    exit 3`, { outFolder: out, swapMb: 64 })
  t.equal(exitCode, 3)
  t.match(said, /^0\n(?=.*\bcpuset\b)(?=.*\bcpu\b)(?=.*\bio\b)(?=.*\bmemory\b)(?=.*\bpids\b)/)
  for (const file of ['cpu.max', 'cpu.pressure', 'cpuset.cpus', 'memory.max', 'memory.swap.max', 'io.max']) t.match(said, `\n${file}\n`)
  t.match(said, `\n${process.cwd()}\n${kernel}\n${accel}\n`)
  t.match(said, /partition\s+655\d\d\s[^]*\nlo\n$/, 'a swap disk, and no network')
  t.match(said, '\nstalls: 1 60\n', 'a kernel that hangs ends')
  t.equal(err, 'written\n')
  t.notOk(existsSync(written))
  t.equal(readFileSync(join(out, 'file'), 'utf8'), 'result\n')
})

t.test('much output is complete, arguments arrive as they are, exit code 0', async t => {
  const { exitCode, out } = await inVm('', { command: ['sh', '-c', 'printf "[%s]" "$@"; head -c 3000000 /dev/zero', 'sh', 'it\'s', '$HOME *', 'a\nb', ''], env: { X: '1' } })
  t.equal(exitCode, 0)
  t.equal(out, `[it's][$HOME *][a\nb][]${'\0'.repeat(3_000_000)}`)
})

t.test('the time is up, in whatever the VM was doing', async t => {
  await t.rejects(inVm('sleep 1000', { timeoutSeconds: 10 }), VmTimeoutError)
})

t.test('aborted: the command is asked to end, what it wrote is kept', async t => {
  const out = t.testdir()
  const stop = new AbortController()
  const script = 'trap \'echo heard >"$WEIR_OUT/term"\' TERM; echo begun; while :; do sleep 0.1; done'
  await t.rejects(inVm(script, { outFolder: out, stopGraceSeconds: 60, signal: stop.signal, onOutput: () => stop.abort(new Error('enough')) }), { message: 'enough' })
  t.equal(readFileSync(join(out, 'term'), 'utf8'), 'heard\n')
})

t.test('a panic is told, with the kernel\'s line; what was written before is on the host', async t => {
  const out = t.testdir()
  await t.rejects(inVm('echo before >"$WEIR_OUT/before"; echo c >/proc/sysrq-trigger; sleep 100', { outFolder: out }), /ended before its command did[^]*Kernel panic/)
  t.equal(readFileSync(join(out, 'before'), 'utf8'), 'before\n')
  t.match(readFileSync(join(out, 'vm-console.log'), 'utf8'), /Kernel panic/)
})

for (const how of [[], ['--systemd']]) {
  t.test(`llama-server and its model from the data disk, throttled by cpu.max ${how.join('')}`, { skip: how.length > 0 && missingForSystemd().length > 0 && 'no systemd' }, async t => {
    const { stdout } = await promisify(execFile)(process.execPath, [program, 'vm', 'run', ...how, '--model', 'tiny', '--', process.execPath, throttledServer])
    const { free, throttled, variants } = JSON.parse(stdout) as { free: Record<string, number>, throttled: Record<string, number>, variants: string[] }
    t.equal(free['nr_throttled'], 0)
    t.ok(Number(throttled['nr_throttled']) > 0)
    t.ok(Number(throttled['throttled_usec']) > 0)
    if ((await acceleration()).accel === 'tcg') t.strictSame(variants, ['libggml-cpu-sse42.so'])
  })
}

t.test('the harness itself, with a model in its cache; a file of the user\'s is a file there', async t => {
  const { path } = await ensureModel('tiny')
  const own = `${t.testdir()}/own.gguf`
  copyFileSync(path, own)
  const seen: { models: readonly string[], out: string } = { models: [], out: '' }
  const { exitCode } = await runHarnessInVm({
    models: ['tiny', own, 'tiny'],
    args: models => { seen.models = models; return ['models', 'list'] },
    onOutput: (_, data) => { seen.out += data.toString() }
  })
  t.equal(exitCode, 0)
  t.strictSame(seen.models, ['tiny', '/weir/data/models/own.gguf'])
  t.match(seen.out, /tiny +.*Q8_0\*/)
  t.match(seen.out, '/weir/data/cache/models')
})

t.test('systemd: an ordinary user with a delegated subtree, results and exit code come back', { skip: missingForSystemd().length > 0 && 'no systemd' }, async t => {
  const out = t.testdir()
  const { exitCode, out: said } = await inVm(`id -u; cat /proc/1/comm; own=/sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup)
    mkdir $own/child && echo delegated; cat $own/cgroup.controllers; echo result >"$WEIR_OUT/file"; sleep 1000 & exit 4`, { systemd: true, outFolder: out })
  t.equal(exitCode, 4)
  t.match(said, /^[1-9]\d*\nsystemd\ndelegated\n(?=.*\bcpu\b)(?=.*\bmemory\b)/)
  t.equal(readFileSync(join(out, 'file'), 'utf8'), 'result\n')
  t.equal(statSync(join(out, 'file')).uid, process.getuid?.())
})

t.test('Ctrl-C at the command line', async t => {
  const child = spawn(process.execPath, [program, 'vm', 'run', '--', 'sh', '-c', 'echo begun; sleep 1000'], { stdio: ['ignore', 'pipe', 'ignore'] })
  await once(child.stdout, 'data')
  child.kill('SIGINT')
  const [code] = await once(child, 'close') as [number]
  t.equal(code, 130)
  t.strictSame(leftOver(child.pid), [])
})

t.test('no QEMU and no folder is left of any of them', async t => {
  t.strictSame(leftOver(process.pid), [])
})
