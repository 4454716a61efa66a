import t from 'tap'
import { systemClock } from './clock.js'

t.test('its time is that of CLOCK_MONOTONIC, so that other processes of this machine can be joined with it', async t => {
  const differenceMs = systemClock.nowMs() - Number(process.hrtime.bigint()) / 1e6
  t.ok(Math.abs(differenceMs) < 1000, `${differenceMs} ms`)
  const times = Array.from({ length: 1000 }, () => systemClock.nowMs())
  t.same(times, [...times].sort((a, b) => a - b), 'it never goes back')
})

t.test('a timer that was cleared does not run', async t => {
  const ran: string[] = []
  const cleared = systemClock.setTimeout(() => { ran.push('cleared') }, 1)
  systemClock.clearTimeout(cleared)
  systemClock.clearTimeout(undefined)
  await new Promise<void>(resolve => { systemClock.setTimeout(() => { ran.push('later'); resolve() }, 2) })
  t.same(ran, ['later'])
})
