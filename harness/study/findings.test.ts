import t from 'tap'
import type { Claim, Manifest, Result } from '../types.js'
import { analyse } from '../analyse/analyse.js'
import { simulateStreams } from '../analyse/testing-streams.js'
import { findingsOf, isSupported } from './findings.js'
import type { Outcome } from './run.js'
import { plannedFor, studyPlanOf } from './testing.js'

const claim = (status: Claim['status']): Claim => {
  const leg = { status: 'holds' as const, statement: '', source: '', value: null, band: null }
  return { id: 'c', statement: 's', predicted: 'p', status, application: leg, os: leg, control: leg, mechanism: leg, explanation: '' }
}
const base = analyse(simulateStreams({ repeats: 1 }))
const withClaims = (statuses: ReadonlyArray<Claim['status']>, changed: Partial<Result> = {}): Result => ({ ...base, claims: statuses.map(claim), ...changed }) as Result
const plan = studyPlanOf([plannedFor('a'), plannedFor('b'), plannedFor('q', { quiet: true })])
const found = (results: ReadonlyArray<readonly [string, Result]>, outcomes: readonly Outcome[] = []) => findingsOf({ plan, planSha256: '0'.repeat(64), state: { planSha256: '', outcomes }, results: new Map(results) })

t.test('supported: complete, with claims, and all of them', async t => {
  for (const [complete, statuses, expected] of [[true, ['SUPPORTED'], true], [false, ['SUPPORTED'], false], [true, [], false], [true, ['SUPPORTED', 'UNSUPPORTED'], false]] as const) {
    t.equal(isSupported({ complete, results: statuses.map(claim) }), expected, `${complete} ${statuses.join()}`)
  }
})

t.test('a requirement: as many as it needs; what is quiet does not count, what has no claim describes', async t => {
  const status = (results: ReadonlyArray<readonly [string, Result]>): string | undefined => found(results).requirements[1]?.status
  t.equal(status([]), 'NOT RUN')
  t.equal(status([['a', withClaims([])]]), 'DESCRIBED')
  t.equal(status([['a', withClaims(['SUPPORTED'])]]), 'UNSUPPORTED', 'one of the two that it needs')
  t.equal(status([['a', withClaims(['SUPPORTED'])], ['q', withClaims(['SUPPORTED'])]]), 'UNSUPPORTED', 'a quiet one is not the second')
  t.equal(status([['a', withClaims(['SUPPORTED'])], ['b', withClaims(['SUPPORTED'])]]), 'SUPPORTED')
  t.equal(status([['a', withClaims(['SUPPORTED'])], ['b', withClaims(['SUPPORTED'], { complete: false })]]), 'UNSUPPORTED')
  t.match(found([], [{ id: 'a', status: 'failed', error: 'no disk' }]).requirements, [{ status: 'NOT RUN', because: 'concurrency: no time in 75 min' }, { because: /a: no disk; b: the study ended before it/ }])
})

t.test('runs in unlike environments are told; the VM beside the machine is not', async t => {
  const on = (changed: Partial<Manifest>): Result => withClaims([], { manifest: { ...base.manifest, ...changed } })
  t.same(found([['a', on({})], ['b', on({ virtualisation: 'vm: tcg', kernel: 'Linux 6.1' })]]).warnings.filter(line => /unlike/.test(line)), [])
  t.match(found([['a', on({})], ['b', on({ kernel: 'Linux 9' })]]).warnings.join(), /unlike environments: manifest\.kernel differ/)
  t.match(found([['a', on({ gitCommit: 'x' })], ['b', on({ gitCommit: 'y' })]]).warnings.join(), /manifest\.gitCommit differ/)
  t.equal(found([['a', on({})], ['b', on({ server: { ...base.manifest.server, threads: 2 } })]]).machines.length, 1, 'threads are an experiment\'s own')
})
