import t from 'tap'
import { parseKnobs } from './index.js'
import { knobOf, launchOf } from './testing.js'

const NEW = '0.7.0 (build 11669, commit abc)'
const OLD = '6123 (cd6983d5)'

/** Extra arguments of llama-server with these knobs on. */
function extraArgs (specs: readonly string[], version = NEW, before: readonly string[] = []): readonly string[] {
  const start = launchOf({ binary: { ...launchOf().binary, version }, extraArgs: before })
  return parseKnobs(specs).reduce((server, knob) => knob.launch?.(server) ?? server, start).extraArgs ?? []
}

t.test('the way of loading, in the words of old and new builds', async t => {
  t.strictSame(extraArgs(['mlock']), ['--load-mode', 'mmap+mlock'])
  t.strictSame(extraArgs(['no-mmap']), ['--load-mode', 'none'])
  t.strictSame(extraArgs(['no-mmap', 'mlock']), ['--load-mode', 'mlock'])
  t.strictSame(extraArgs(['mlock', 'no-mmap', 'no-repack'], OLD), ['--no-mmap', '--mlock', '--no-repack'])
  t.strictSame(extraArgs(['mlock'], '0.6.9 (build 10874, commit a)'), ['--mlock'])
  t.strictSame(extraArgs(['mlock'], '0.6.9 (build 10875, commit a)'), ['--load-mode', 'mmap+mlock'])
  t.strictSame(extraArgs(['mlock'], 'unknown'), ['--load-mode', 'mmap+mlock'])
  t.strictSame(extraArgs(['mlock'], '0.7.0'), ['--load-mode', 'mmap+mlock'], 'a version is no build number')
  t.strictSame(extraArgs(['mlock'], NEW, ['-lm', 'none', '--no-warmup']), ['--no-warmup', '--load-mode', 'mlock'], 'what the launch had stays on the other side')
  t.strictSame(extraArgs(['no-repack'], NEW, ['--no-repack']), ['--no-repack'])
  t.strictSame(extraArgs(['no-self-warmup', 'mlock']), ['--load-mode', 'mmap+mlock', '--no-warmup'])
})

t.test('threads, batch and CPUs', async t => {
  const server = launchOf()
  t.strictSame(knobOf('threads=4').launch?.(server), { ...server, threads: 4 })
  t.strictSame(knobOf('batch=64').launch?.(server), { ...server, batchTokens: 64 })
  t.strictSame(knobOf('cache-ram=100').launch?.(server), { ...server, cacheRamMib: 100 })
  t.strictSame(knobOf('pinning').launch?.(server).cpus, [1])
  t.strictSame(knobOf('pinning=0,2').launch?.(server).cpus, [0, 2])
  t.notOk('cpus' in (knobOf('unpinned').launch?.(server) ?? server))
  t.notOk('cpus' in (knobOf('cpuset=0').launch?.(server) ?? server), 'the group says where it runs')
  const { cpus: _, ...free } = server
  t.throws(() => knobOf('pinning').launch?.(free), /no CPUs of its own; name them, as in pinning=1/)
  t.strictSame(server, launchOf(), 'launch changes nothing in place')
})
