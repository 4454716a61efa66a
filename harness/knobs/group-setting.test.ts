import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import t from 'tap'
import type { Setting } from '../cgroups/contract.js'
import { allowedCpus } from '../run/placement.js'
import { blockDeviceOf, deviceNumber } from './block-device.js'
import { fakeGroup, knobOf, runningBlock } from './testing.js'

const here = allowedCpus().join(',')

const settings: ReadonlyArray<readonly [spec: string, setting: Setting, former: string, asked: string, refused: string]> = [
  ['cpu-quota=50/250', 'cpu.max', 'max 100000', '50000 250000', 'max 100000'],
  ['cpu-burst=12.5', 'cpu.max.burst', '0', '12500', '0'],
  ['cpu-weight=20', 'cpu.weight', '100', '20', '100'],
  [`cpuset=${here}`, 'cpuset.cpus', '', here, '4095'],
  ['memory-max=64M', 'memory.max', 'max', '67108864', 'max'],
  ['memory-high=64M', 'memory.high', 'max', '67108864', '67174400'],
  ['memory-low=1M', 'memory.low', '0', '1048576', '983040'],
  ['memory-min=1M', 'memory.min', '0', '1048576', '0'],
  ['swap-max=max', 'memory.swap.max', '4096', 'max', '4096'],
  ['no-swap', 'memory.swap.max', 'max', '0', 'max']
]

t.test('written, read back, undone', async t => {
  for (const [spec, setting, former, asked, refused] of settings) {
    const group = fakeGroup({ [setting]: former })
    const at = runningBlock({ group })
    const knob = knobOf(spec)
    const undo = await knob.before?.(at)
    t.strictSame(group.writes, [`${setting} ${asked}`], spec)
    t.match(await knob.readBack(at), { [setting]: asked, 'control group': 'cgroup v2' }, spec)
    group.settings.set(setting, refused)
    await t.rejects(knob.readBack(at), new RegExp(`asked for ${setting} ".*", but the kernel has "${refused}" in /sys/fs/cgroup/weir-test`), `${spec}: asked and seen`)
    await undo?.()
    t.equal(group.settings.get(setting), former, `${spec}: undone`)
  }
})

t.test('whole pages of what was asked are the same limit', async t => {
  const at = runningBlock({ group: fakeGroup({ 'memory.max': '8192' }) })
  t.match(await knobOf('memory-max=10000').readBack(at), { 'memory.max': '8192' })
  await t.rejects(knobOf('memory-max=8191').readBack(at), /asked for memory.max "8191"/)
})

t.test('a limit on a group in which llama-server does not run is none', async t => {
  const group = fakeGroup({ 'cpu.weight': '20' }, { processes: async () => [1] })
  await t.rejects(knobOf('cpu-weight=20').readBack(runningBlock({ group })), new RegExp(`llama-server is process ${process.pid}, but in its group .* are \\[1\\]`))
  await t.rejects(knobOf('cpu-weight=20').readBack(runningBlock()), /needs a control group/)
  await t.rejects(async () => await knobOf('cpu-weight=20').before?.(runningBlock()), /needs a control group/)
  await t.rejects(async () => await knobOf('preload').before?.(runningBlock()), /preload: needs a control group/)
})

t.test('a cpuset counts by where the threads may run', async t => {
  const group = fakeGroup({ 'cpuset.cpus': '4000' })
  await t.rejects(knobOf('cpuset=4000').readBack(runningBlock({ group })), /llama-server should run on CPU 4000 only, but its threads may use/)
})

t.test('io.max is on the disk of the model', async t => {
  const model = t.testdir({ 'model.gguf': 'x' }) + '/model.gguf'
  const at = runningBlock()
  const group = fakeGroup({})
  const block = { ...at, group, server: { ...at.server, model: { ...at.server.model, path: model } } }
  const device = blockDeviceOf(model)
  const knob = knobOf('io-max=rbps=1M+wiops=7')
  const undo = await knob.before?.(block)
  t.strictSame(group.writes, [`io.max ${device} rbps=1048576 wiops=7`])
  group.settings.set('io.max', `99:0 rbps=1 wbps=max riops=max wiops=max\n${device} rbps=1048576 wbps=max riops=max wiops=7`)
  t.match(await knob.readBack(block), { 'control group': 'cgroup v2' })
  group.settings.set('io.max', `${device} rbps=10485760 wbps=max riops=max wiops=7`)
  await t.rejects(knob.readBack(block), /but the kernel has/, 'no prefix of a number')
  await undo?.()
  t.equal(group.writes.at(-1), `io.max ${device} rbps=max wiops=max`)
})

t.test('the whole disk of a partition; none for file systems without one', async t => {
  const sys = t.testdir({ dev: { block: {} }, vda: { dev: '254:0\n', vda1: { dev: '254:1\n', partition: '1\n' } } })
  for (const [number, folder] of [['254:0', 'vda'], ['254:1', 'vda/vda1']] as const) symlinkSync(`../../${folder}`, `${sys}/dev/block/${number}`)
  t.equal(blockDeviceOf('/m.gguf', sys, '254:0'), '254:0')
  t.equal(blockDeviceOf('/m.gguf', sys, '254:1'), '254:0')
  t.throws(() => blockDeviceOf('/m.gguf', sys, '0:42'), /\/m.gguf lies on device 0:42, which is no disk/)
  mkdirSync(`${sys}/lost`)
  writeFileSync(`${sys}/lost/partition`, '')
  symlinkSync('../../lost', `${sys}/dev/block/9:9`)
  t.throws(() => blockDeviceOf('/m.gguf', sys, '9:9'), /whose disk is not in/)
  t.equal(deviceNumber(0xfe00), '254:0')
  t.equal(deviceNumber(0x803), '8:3')
  t.equal(deviceNumber(0x10_3f_05), `${0x03f}:${0x105}`)
})
