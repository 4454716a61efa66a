import t from 'tap'
import type { Controller, GroupHost } from '../cgroups/contract.js'
import { parseKnobs } from '../knobs/index.js'
import { needPrograms } from '../vm/machine.js'
import { chooseHost } from './host.js'
import { measureInVm } from './measure-in-vm.js'
import { typedOptions } from './options.js'

const quota = parseKnobs(['cpu-quota=500/1000'])
const outside = undefined

function hostWith (version: 'v1' | 'v2', controllers: readonly Controller[]): () => Promise<GroupHost> {
  return async () => ({ ok: true, version, controllers, parent: '/sys/fs/cgroup/x', create: async () => { throw new Error('made a group') } })
}
const noHost = async (): Promise<GroupHost> => ({ ok: false, why: 'not delegated', mend: 'systemd-run --user --scope -p Delegate=yes CMD' })
const unasked = async (): Promise<GroupHost> => { throw new Error('asked for groups') }

t.test('auto: here, unless a knob needs cgroup v2 and it cannot be had', async t => {
  t.strictSame(await chooseHost('auto', [], unasked, outside), { host: 'local' })
  t.strictSame(await chooseHost('auto', parseKnobs(['mlock', 'unpinned']), unasked, outside), { host: 'local' }, 'knobs without a group')
  t.strictSame(await chooseHost('auto', quota, hostWith('v2', ['cpu', 'memory']), outside), { host: 'local' })
  t.match(await chooseHost('auto', quota, hostWith('v2', ['memory']), outside), { host: 'vm', why: '/sys/fs/cgroup/x lacks cpu' })
  t.match(await chooseHost('auto', quota, hostWith('v1', ['cpu']), outside), { host: 'vm', why: /version 1 only \(with those: --host local\)/ })
  t.match(await chooseHost('auto', quota, noHost, outside), { host: 'vm', why: 'not delegated (without the VM: systemd-run --user --scope -p Delegate=yes CMD)' })
})

t.test('what was asked for is not second-guessed', async t => {
  t.strictSame(await chooseHost('local', quota, unasked, outside), { host: 'local' })
  t.strictSame(await chooseHost('vm', [], unasked, outside), { host: 'vm' })
})

t.test('in the VM: here', async t => {
  t.strictSame(await chooseHost('auto', quota, unasked, 'tcg'), { host: 'local' })
  await t.rejects(chooseHost('vm', quota, unasked, 'tcg'), /this is the VM already/)
})

t.test('without QEMU: what to type', async t => {
  await t.rejects(needPrograms({ PATH: t.testdir() }), /^the VM needs qemu-system-x86_64.*; type: sudo apt-get install --no-install-recommends qemu-system-x86/)
})

t.test('a condition with a model file cannot go into the VM', async t => {
  const conditions = [{ id: 'a', title: '', policies: [], knobs: [], factors: {}, model: './own.gguf' }]
  const run = measureInVm({ input: { model: 'tiny', conditions }, args: [], sizes: {}, folder: t.testdirName, signal: new AbortController().signal, note: () => {} })
  await t.rejects(run, /the model file \.\/own\.gguf; give it a name of the catalogue|sudo apt-get install/)
})

t.test('options as they are typed', async t => {
  t.strictSame(typedOptions({ preset: 'smoke', sloTtftMs: 5, rate: undefined, json: true, mix: 'a b' }), ['--preset', 'smoke', '--slo-ttft-ms', '5', '--json', '--mix', 'a b'])
})
