import { existsSync, readFileSync, readdirSync } from 'node:fs'
import t from 'tap'
import type { Result } from '../types.js'
import { harness } from './testing.js'

/** Needs QEMU (`harness vm doctor`). Each run boots a VM: under an emulated CPU a minute or more. */
const sweep = {
  kind: 'sweep',
  name: 'two-quotas',
  question: 'Does the harness run in the VM?',
  model: 'tiny',
  threads: 1,
  workload: { kind: 'streams', calls: 1, predictTokens: 20, promptWords: 4, warmupCalls: 0 },
  baseline: 'none',
  cells: [{ id: 'none', knobs: ['cpu-quota=none'] }, { id: 'half', knobs: ['cpu-quota=50/100'], factors: { quotaPercent: 50 } }],
  repeats: { smoke: 1, laptop: 1, overnight: 1 }
}

const readResult = (folder: string): Result => JSON.parse(readFileSync(`${folder}/result.json`, 'utf8')) as Result

/** QEMU processes of the VM that a process started. */
function qemusOf (owner: number | undefined): string[] {
  return readdirSync('/proc').filter(name => /^\d+$/.test(name)).filter(pid => {
    try { return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`/vm/run-${owner}-`) } catch { return false }
  })
}

t.test('a sweep in the VM: evidence, progress, logs and report are here', async t => {
  const folder = t.testdir({ 'sweep.json': JSON.stringify(sweep) })
  const { code, out, err } = await harness(['run', `${folder}/sweep.json`, '--host', 'vm', '--preset', 'smoke', '--out', `${folder}/run`])
  t.equal(code, 0, err)
  t.match(err, /vm: booting Linux/)
  t.match(err, /block 1 of 2, .*: 1 streams of 20 tokens/)
  t.match(out, /Report: .*report\.html/)
  const result = readResult(`${folder}/run`)
  t.equal(result.complete, true)
  t.match(result.manifest, { virtualisation: /^vm: (tcg|kvm)$/, cgroup: 'v2', model: { name: 'tiny' } })
  t.ok(result.blocks.every(block => block.valid))
  t.ok(existsSync(`${folder}/run/blocks/01-${result.blocks[0]?.condition}/llama-server.log`))
  const readBack = readFileSync(`${folder}/run/blocks/0${result.blocks.find(({ condition }) => condition === 'half')?.index}-half/block.json`, 'utf8')
  t.match(readBack, /"cpu.max": "50000 100000"/)
})

t.test('Ctrl-C ends the VM and keeps what is finished', async t => {
  const folder = t.testdir({ 'sweep.json': JSON.stringify(sweep) })
  const { code, err, pid } = await harness(['run', `${folder}/sweep.json`, '--host', 'vm', '--preset', 'smoke', '--out', `${folder}/run`], {
    at: /block 2 of 2, .*: 1 streams/,
    then: kill => {
      // As npx does: the terminal's signal, and one more.
      kill('SIGINT')
      kill('SIGINT')
    }
  })
  t.equal(code, 130, err)
  const result = readResult(`${folder}/run`)
  t.equal(result.complete, false)
  t.equal(result.blocks.length, 1)
  t.strictSame(qemusOf(pid), [])
})

t.test('what fails in the VM is told here, with its exit code', async t => {
  const folder = t.testdir({ 'sweep.json': JSON.stringify({ ...sweep, cells: [{ id: 'none' }, { id: 'beyond', knobs: ['cpuset=7'] }] }) })
  const { code, err } = await harness(['run', `${folder}/sweep.json`, '--host', 'vm', '--preset', 'smoke', '--out', `${folder}/run`])
  t.equal(code, 1)
  t.match(err, /harness: .*cpuset/)
  t.notMatch(err, /^ +at /m)
})
