import t from 'tap'
import { UsageError } from '../usage-error.js'
import { knobKinds, knobNames, parseKnobs } from './index.js'

const good: ReadonlyArray<readonly [spec: string, title: string, controllers?: readonly string[]]> = [
  ['cpu-quota=500/1000', 'CPU quota 500 ms in each 1,000 ms', ['cpu']],
  ['cpu-quota=12.5/25', 'CPU quota 12.5 ms in each 25 ms', ['cpu']],
  ['cpu-quota=none', 'no CPU quota', ['cpu']],
  ['cpu-burst=0', 'CPU burst 0 ms', ['cpu']],
  ['cpu-weight=10000', 'CPU weight 10,000', ['cpu']],
  ['cpuset=0-1+3', 'cpuset: CPU 0, 1, 3', ['cpuset']],
  ['pinning', 'llama-server pinned to its own CPUs'],
  ['pinning=3,1', 'llama-server pinned to CPU 1, 3'],
  ['unpinned', 'llama-server placed by the kernel'],
  ['memory-max=48M', 'memory limit 48 MiB', ['memory']],
  ['memory-max=max', 'memory limit without limit', ['memory']],
  ['common-limit=112M', 'memory limit 112 MiB in common with what runs beside it', ['memory']],
  ['memory-drop=48M', 'memory limit lowered to 48 MiB once the load has begun', ['memory']],
  ['no-thp', 'no transparent huge pages'],
  ['memory-high=1G', 'memory throttled above 1 GiB', ['memory']],
  ['memory-low=1536K', 'memory protected, best effort, up to 1.5 MiB', ['memory']],
  ['memory-min=4096', 'memory protected up to 4 KiB', ['memory']],
  ['swap-max=0', 'swap limit 0 bytes', ['memory']],
  ['no-swap', 'no swap', ['memory']],
  ['threads=1', '1 compute thread'],
  ['batch=2048', 'batch of 2,048 tokens'],
  ['cache-ram=8192', '8,192 MiB of prompts kept beside the slots'],
  ['mlock', 'model locked in memory (mlock)'],
  ['no-mmap', 'model not mapped (no-mmap)'],
  ['no-repack', 'weights not repacked'],
  ['no-self-warmup', 'llama-server does not warm itself up'],
  ['page-cache=cold', 'model file not in the page cache at the start'],
  ['page-cache=warm', 'model file in the page cache at the start'],
  ['preload', "model file read ahead inside llama-server's group", ['memory']],
  ['io-max=rbps=10M', 'disk: reads at most 10 MiB/s', ['io']],
  ['io-max=rbps=10M+riops=500', 'disk: reads at most 10 MiB/s, at most 500 reads/s', ['io']],
  ['warmup=8', '8 warm-up requests'],
  ['cpu-hog=1', '1 CPU hog'],
  ['cpu-hog=4@0-1', '4 CPU hogs on CPU 0, 1'],
  ['cpu-hog=2@0-1:idle', '2 idle-class CPU hogs on CPU 0, 1'],
  ['cpu-hog=2@1:weight=50', '2 CPU hogs on CPU 1, weight 50', ['cpu']],
  ['page-cache-hog=512M', "page-cache hog of 512 MiB outside llama-server's group"],
  ['page-cache-hog=100M@group', "page-cache hog of 112 MiB inside llama-server's group", ['memory']],
  ['page-cache-hog=256M@beside', "page-cache hog of 256 MiB in the group beside llama-server's", ['memory']],
  ['disk-hog=read', 'disk hog that reads'],
  ['disk-hog=write', 'disk hog that writes']
]

t.test('what may be typed', async t => {
  for (const [spec, title, controllers = []] of good) {
    const [knob] = parseKnobs([spec])
    t.match(knob, { spec, title, name: spec.split('=')[0] }, spec)
    t.strictSame(knob?.controllers, controllers, `${spec}: controllers`)
  }
  t.strictSame(new Set(good.map(([spec]) => spec.split('=')[0])), new Set(knobNames()), 'every knob is in this table')
})

const bad: ReadonlyArray<readonly [spec: string, message: RegExp]> = [
  ['cpu-qouta=1/2', /no such knob: "cpu-qouta"; there are cpu-quota, cpu-burst, /],
  ['', /no such knob: ""/],
  ['cpu-quota', /cpu-quota: must be QUOTA_MS\/PERIOD_MS, as in cpu-quota=50\/100/],
  ['cpu-quota=50', /cpu-quota=50: must be/],
  ['cpu-quota=50/100/2', /must be/],
  ['cpu-quota=-5/100', /must be/],
  ['cpu-quota=50/1001', /cpu-quota=50\/1001: the period must be from 1 to 1000 ms/],
  ['cpu-quota=50/0.5', /period/],
  ['cpu-quota=0.9/100', /the quota must be 1 ms or more/],
  ['cpu-burst=1.0001', /milliseconds/],
  ['cpu-weight=0', /whole numbers from 1 to 10000/],
  ['cpu-weight=high', /cpu-weight=high: allowed/],
  ['cpuset=', /allowed are CPU numbers/],
  ['cpuset=3-1', /allowed are CPU numbers/],
  ['cpuset=0-9999999999', /allowed are CPU numbers/],
  ['pinning=one', /pinning=one: allowed are CPU numbers/],
  ['unpinned=1', /unpinned=1: takes no value/],
  ['mlock=yes', /takes no value; write mlock/],
  ['memory-max=1.5G', /memory-max=1.5G: allowed are bytes from 0 bytes up, with K, M or G/],
  ['memory-max=1g', /allowed are bytes/],
  ['memory-max=9999999G', /allowed are bytes/],
  ['swap-max', /allowed are bytes/],
  ['threads=0', /from 1 to 256/],
  ['threads=1.5', /from 1 to 256/],
  ['batch=65537', /from 1 to 65536/],
  ['page-cache=lukewarm', /allowed are cold and warm/],
  ['io-max=10M', /must be rbps=/],
  ['io-max=rbps=1K', /bytes from 4 KiB up/],
  ['io-max=riops=many', /whole numbers/],
  ['io-max=rbps=1M+rbps=2M', /rbps is there twice/],
  ['warmup', /must be a number of requests/],
  ['warmup=1001', /from 1 to 1000/],
  ['cpu-hog', /must be N/],
  ['cpu-hog=2:idle:weight=1', /must be N/],
  ['cpu-hog=0', /from 1 to 256/],
  ['cpu-hog=2@', /must be N/],
  ['cpu-hog=2@5-3', /allowed are CPU numbers/],
  ['cpu-hog=2:weight=0', /from 1 to 10000/],
  ['page-cache-hog=1M', /bytes from 16 MiB up/],
  ['page-cache-hog=64M@outside', /must be BYTES, BYTES@group or BYTES@beside/],
  ['disk-hog', /allowed are read and write/]
]

t.test('what may not', async t => {
  for (const [spec, message] of bad) {
    const error = t.throws(() => parseKnobs([spec]), message, spec)
    t.ok(error instanceof UsageError, `${spec}: the user's mistake`)
  }
})

t.test('several at once', async t => {
  const typed = ['disk-hog=read', 'preload', 'swap-max=0', 'cpu-burst=5', 'cpu-quota=50/100', 'memory-max=1G', 'io-max=rbps=1M', 'warmup=1']
  t.strictSame(parseKnobs(typed).map(knob => knob.name), ['cpu-quota', 'cpu-burst', 'memory-max', 'swap-max', 'preload', 'io-max', 'warmup', 'disk-hog'], 'what bounds another comes first')
  t.throws(() => parseKnobs(['threads=1', 'mlock', 'threads=2']), /threads is there twice: threads=1 and threads=2/)
  for (const pair of [['pinning', 'unpinned'], ['cpuset=0', 'pinning=0'], ['no-swap', 'swap-max=1M']]) {
    t.throws(() => parseKnobs(pair), /contradict each other/, pair.join())
  }
  t.strictSame(parseKnobs([]), [])
})

t.test('every knob is described', async t => {
  for (const { name, describe } of knobKinds()) t.ok(describe.length > 20, name)
})
