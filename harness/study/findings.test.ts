import t from 'tap'
import type { Claim, Leg, Manifest, Result } from '../types.js'
import { countsText, verdictOf, whyUnsupported } from '../render/study/words.js'
import { analyse } from '../analyse/analyse.js'
import { simulateStreams } from '../analyse/testing-streams.js'
import { findingsOf, isSupported } from './findings.js'
import type { Outcome } from './run.js'
import { plannedFor, studyPlanOf } from './testing.js'

const claim = (status: Claim['status']): Claim => {
  const leg = { status: 'holds' as const, statement: '', source: '', value: null, band: null, figures: [] }
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

t.test('a requirement says which experiments hold it, and what became of the others', async t => {
  const because = (results: ReadonlyArray<readonly [string, Result]>): string | undefined => found(results).requirements[1]?.because
  t.equal(because([['a', withClaims(['SUPPORTED'])], ['b', withClaims(['SUPPORTED'])]]), 'held by a, b (2 wanted)')
  t.equal(because([['a', withClaims(['SUPPORTED'])], ['b', withClaims(['UNSUPPORTED'])]]), 'held by a (2 wanted); not by b (UNSUPPORTED)')
  t.equal(because([['a', withClaims(['SUPPORTED'], { complete: false })]]), 'none holds (2 wanted); not by a (not complete), b (not complete)')
})

t.test('no verdict of a run that is not whole; why a claim is not supported, in words', async t => {
  const [whole, partial] = found([['a', withClaims(['SUPPORTED'])], ['b', withClaims(['SUPPORTED'], { complete: false })]]).experiments
  if (whole === undefined || partial === undefined) return t.fail('two experiments')
  t.same([verdictOf(whole), verdictOf(partial), verdictOf({ ...partial, outcome: 'failed' })], ['SUPPORTED', 'INCOMPLETE', 'FAILED'])
  t.match(countsText(found([['a', withClaims(['SUPPORTED'])], ['b', withClaims(['SUPPORTED'], { complete: false })]])), /1 of 2 claims/)
  const legs = (changed: Partial<Record<'application' | 'os' | 'control' | 'mechanism', Leg['status']>>) => whyUnsupported({ ...claim('UNSUPPORTED'), ...Object.fromEntries(['application', 'os', 'control', 'mechanism'].map(key => [key, { ...claim('UNSUPPORTED').os, status: changed[key as 'os'] ?? 'holds' }])) } as Claim)
  t.equal(legs({}), undefined)
  t.equal(legs({ control: 'fails' }), 'refuted by its control leg')
  t.equal(legs({ application: 'fails', control: 'fails', os: 'missing' }), 'refuted by its application and control legs, operating system leg not measured')
})

t.test('runs in unlike environments are told; the VM beside the machine is not', async t => {
  const on = (changed: Partial<Manifest>): Result => withClaims([], { manifest: { ...base.manifest, ...changed } })
  t.same(found([['a', on({})], ['b', on({ virtualisation: 'vm: tcg', kernel: 'Linux 6.1' })]]).warnings.filter(line => /unlike/.test(line)), [])
  t.match(found([['a', on({})], ['b', on({ kernel: 'Linux 9' })]]).warnings.join(), /unlike environments: manifest\.kernel differ/)
  t.match(found([['a', on({ gitCommit: 'x' })], ['b', on({ gitCommit: 'y' })]]).warnings.join(), /manifest\.gitCommit differ/)
  t.equal(found([['a', on({})], ['b', on({ server: { ...base.manifest.server, threads: 2 } })]]).machines.length, 1, 'threads are an experiment\'s own')
})
