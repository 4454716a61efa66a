import t from 'tap'
import { missing, missingForStudy, preflight } from './preflight.js'

t.test('a machine without the tools is told what to type', async t => {
  const path = process.env.PATH
  t.teardown(() => { process.env.PATH = path })
  process.env.PATH = t.testdir({})
  const mend = (what: RegExp): string | undefined => preflight().find(check => !check.ok && what.test(check.what))?.mend
  t.equal(mend(/^pidstat and iostat/), 'sudo apt-get install sysstat')
  t.equal(mend(/^vmstat/), 'sudo apt-get install procps')
  t.match(mend(/^perf/), /^sudo apt-get install linux-(perf|tools-generic linux-tools-\$\(uname -r\))$/)
  t.equal(mend(/^ss/), 'sudo apt-get install iproute2')
  t.ok(missing(preflight()).some(line => line.startsWith('pidstat and iostat (sysstat): missing; lost by it: ')))
  t.match(missingForStudy(), /^pidstat and iostat \(sysstat\) are missing, and a study needs them: .*To install: sudo apt-get install sysstat/)
  t.equal(missingForStudy([]), undefined)
})
