import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { assertAtWork, startHog, stopAll } from './hog.js'

const skip = process.platform !== 'linux' && 'looks at /proc'

/** Dead, or dead and not yet collected by init. */
function isGone (pid: number): boolean {
  return !existsSync(`/proc/${pid}`) || /^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
}

async function until (is: () => boolean): Promise<void> {
  while (!is()) await sleep(10)
}

t.test('runs until it is stopped, and its children with it', { skip }, async t => {
  const folder = t.testdir()
  const hog = await startHog({ what: 'hog', script: 'sleep 1000 & echo $! > "$1"; wait', args: [`${folder}/child`], logPath: `${folder}/log` })
  t.teardown(() => hog.stop())
  await until(() => existsSync(`${folder}/child`) && readFileSync(`${folder}/child`, 'utf8').endsWith('\n'))
  const child = Number(readFileSync(`${folder}/child`, 'utf8'))
  await hog.assertRunning()
  t.notOk(isGone(hog.pid))
  await Promise.all([hog.stop(), hog.stop()])
  await until(() => isGone(child))
  t.ok(isGone(hog.pid))
})

t.test('one that ends by itself: the block does not count, and the error says why', { skip }, async t => {
  const folder = t.testdir()
  const short = await startHog({ what: 'disk-hog=read', script: 'echo "no such disk" >&2; exit 3', logPath: `${folder}/log` })
  await until(() => isGone(short.pid))
  await t.rejects(assertAtWork(short, 'disk-hog=read', () => 0, 1), /disk-hog=read: it ended too early, with code 3: no such disk/)
  const long = await startHog({ what: 'x', script: 'sleep 1000; exit', logPath: `${folder}/log2` })
  await t.rejects(stopAll([short, long]), /ended too early, with code 3/)
  t.ok(isGone(long.pid), 'the others are stopped all the same')
})

t.test('at work is what a counter says', { skip }, async t => {
  const hog = await startHog({ what: 'x', script: 'sleep 1000; exit', logPath: `${t.testdir()}/log` })
  t.teardown(() => hog.stop())
  let count = 0
  t.equal(await assertAtWork(hog, 'x', () => count++ * 10, 25), 30)
})

t.test('it is there when its script is, not while it enters a group or gets its CPUs', { skip }, async t => {
  const folder = t.testdir()
  const enter = ['sh', '-c', 'i=0; while [ $i -lt 300000 ]; do i=$((i + 1)); done; exec "$@"', 'enter']
  const hog = await startHog({ what: 'x', script: 'sleep 1000; exit # as is: $1', args: ['two words'], cpus: [0], enter, logPath: `${folder}/log` })
  t.teardown(() => hog.stop())
  t.match(readFileSync(`/proc/${hog.pid}/cmdline`, 'utf8'), /^sh\0-c\0sleep 1000/)
  t.match(readFileSync(`/proc/${hog.pid}/status`, 'utf8'), /^Cpus_allowed_list:\s*0$/m)
})

t.test('CPUs that are not there', { skip }, async t => {
  const hog = await startHog({ what: 'cpu-hog=1@4095', script: 'sleep 1000; exit', cpus: [4095], logPath: `${t.testdir()}/log` })
  await until(() => isGone(hog.pid))
  await t.rejects(hog.stop(), /ended too early, with code 1: taskset: /)
})
