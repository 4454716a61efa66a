import t from 'tap'
import { fakeKnob } from '../run/testing.js'
import { parseKnobs } from '../knobs/index.js'
import { comparisonOf, parseToggles } from './comparison.js'
import type { ComparisonFile, ExperimentFile } from './experiment-file.js'
import { gatewayPolicies } from './policies.js'
import { quietClasses } from './traffic.js'

const knobsFor = (specs: readonly string[]) => specs.map(spec => fakeKnob(spec, []))
const workload = { kind: 'streams' as const, calls: 2, predictTokens: 200 }

const admission: ComparisonFile = { name: 'admission', question: 'admission?', policies: ['admission'], rate: '2x', mix: 'a:1/1:1', claim: 'admission-keeps-capacity-good' }
const pinning: ComparisonFile = { name: 'pinning', question: 'pinning?', knobs: ['pin'], beforeKnobs: ['kernel-placement'], setting: ['hog'], workload, threads: 2, claim: 'pinning' }
const mlock: ComparisonFile = { name: 'mlock', question: 'mlock?', knobs: ['mlock'], setting: ['limit', 'hog'], workload, model: 'small' }
const files: ExperimentFile[] = [admission, pinning, mlock, { kind: 'sweep', name: 'dose', question: '?', workload, baseline: 'a', cells: [] }]
const of = (text: string, quiet = false) => comparisonOf(parseToggles(text, files), { quiet, knobsFor })

t.test('names are those of the comparisons; a sweep says how it is run', async t => {
  t.throws(() => parseToggles('admision', files), { name: 'UsageError', message: /no such policy or mitigation: "admision"; there are admission, mlock, pinning/ })
  t.throws(() => parseToggles(' , ', files), /no policy named/)
  t.throws(() => parseToggles('dose', files), /dose is a sweep; type: npx harness run dose/)
  t.same(parseToggles('admission, admission', files), [admission])
})

t.test('one thing: before and after in pairs, the interference in both', async t => {
  const comparison = of('pinning')
  t.match(comparison, { name: 'pinning', question: 'pinning?', design: 'pairs', lead: pinning, threads: 2, claims: ['pinning'], quiet: false })
  t.same(comparison.effects, [])
  t.same(comparison.conditions, [
    { id: 'before', title: 'without pinning (the knob kernel-placement), under: the knob hog', policies: [], knobs: ['hog', 'kernel-placement'], factors: {} },
    { id: 'after', title: 'with pinning (the knob pin), under: the knob hog', policies: [], knobs: ['hog', 'pin'], factors: {}, baseline: 'before' }
  ])
  t.same(of('admission').conditions.map(({ title, policies }) => [title, policies]), [['without admission', []], ['with admission', ['admission']]])
})

t.test('--no-setting: the mitigation alone on the quiet host', async t => {
  const comparison = of('pinning', true)
  t.equal(comparison.quiet, true)
  t.same(comparison.conditions.map(({ knobs }) => knobs), [['kernel-placement'], ['pin']])
  t.throws(() => of('admission', true), /--no-setting: admission has no interference that could be left out/)
})

t.test('two things: a 2×2 that says what it can tell apart; the load is the one with a gateway in it', async t => {
  const comparison = of('pinning,admission')
  t.match(comparison, { name: 'pinning+admission', design: 'factorial', lead: admission, threads: 2, claims: [] })
  t.match(comparison.effects, [/2×2: what pinning does, what admission does, and whether they do more or less together can be told apart/])
  t.same(comparison.conditions.map(({ id, policies, knobs, baseline }) => ({ id, policies, knobs, baseline })), [
    { id: 'none', policies: [], knobs: ['hog', 'kernel-placement'], baseline: undefined },
    { id: 'pinning', policies: [], knobs: ['hog', 'pin'], baseline: 'none' },
    { id: 'admission', policies: ['admission'], knobs: ['hog', 'kernel-placement'], baseline: 'none' },
    { id: 'pinning+admission', policies: ['admission'], knobs: ['hog', 'pin'], baseline: 'none' }
  ])
  t.same(comparison.conditions[1]?.factors, { pinning: 'on', admission: 'off' })
  t.match(comparison.conditions[1]?.title, /^with pinning, without admission \(the knob pin\)/)
})

t.test('three things: all off against all on, and said that this tells no effects apart', async t => {
  const comparison = of('admission,pinning,mlock')
  t.match(comparison, { design: 'pairs', lead: admission, claims: [], model: 'small', question: 'What do admission, pinning and mlock do together?' })
  t.match(comparison.effects, [/all off against all on, so their effects cannot be told apart/])
  t.same(comparison.conditions.map(({ knobs }) => knobs), [['hog', 'limit', 'kernel-placement'], ['hog', 'limit', 'pin', 'mlock']])
})

t.test('things that contradict each other are named, with the reason', async t => {
  const weight: ComparisonFile = { name: 'cpu-weight', question: '?', knobs: ['cpu-weight=9'], setting: ['cpu-hog=2@1'], workload }
  const pin: ComparisonFile = { name: 'pinning', question: '?', knobs: ['pinning'], setting: ['cpu-hog=1@0'], workload }
  t.throws(() => comparisonOf([weight, pin], { quiet: false, knobsFor: parseKnobs }), { name: 'UsageError', message: /^--policy: cpu-weight and pinning cannot be combined: the knob cpu-hog is there twice: cpu-hog=2@1 and cpu-hog=1@0; name them one at a time$/ })
  t.equal(comparisonOf([weight, pin], { quiet: true, knobsFor: parseKnobs }).conditions.length, 4)
  t.throws(() => comparisonOf([{ ...weight, knobs: ['cpu-wait=9'] }], { quiet: false, knobsFor: parseKnobs }), /^no such knob/)
})

t.test('two sides: titles, policies with options and clients of their own; quiet without a burst is an error', async t => {
  const retry = { wait: 'told' as const, tries: 2, patienceSeconds: 9 }
  const file = {
    name: 'sides',
    question: 'why?',
    rate: '2x',
    mix: 'a:1/1:1',
    claim: 'c',
    before: { title: 'as they come', policies: { admission: {} } },
    after: { title: 'by turns', policies: { admission: { fair: true } }, tellsLimit: true, retry }
  }
  const made = comparisonOf([file], { quiet: false, knobsFor: parseKnobs })
  t.same(made.conditions, [
    { id: 'before', title: 'as they come', policies: ['admission'], policyOptions: { admission: {} }, knobs: [], factors: {} },
    { id: 'after', title: 'by turns', policies: ['admission'], policyOptions: { admission: { fair: true } }, tellsLimit: true, retry, knobs: [], factors: {}, baseline: 'before' }
  ])
  t.throws(() => comparisonOf([file], { quiet: true, knobsFor: parseKnobs }), /--no-setting: sides has no interference/)
  t.equal(comparisonOf([{ ...file, traffic: { burst: { rate: '4x', fromSeconds: 1 } } }], { quiet: true, knobsFor: parseKnobs }).quiet, true)
  t.throws(() => comparisonOf([file, { name: 'b', question: 'why?', knobs: ['mlock'] }], { quiet: false, knobsFor: parseKnobs }), /sides compares two sides of its own; name it alone/)
})

t.test('what is asked about alone is one condition; calls that interfere, and clients that leave, are what a quiet run leaves out', async t => {
  const classes = [{ name: 'usual', promptWords: 4, maxTokens: 4, share: 1, leave: { share: 0.3, shareOfUnloadedTtft: 0.5 } }, { name: 'long', promptWords: 90, maxTokens: 4, share: 1, interference: true }]
  const file: ComparisonFile = { name: 'alone', question: 'holds it?', only: { title: 'with it', policies: { admission: { ttftLimitMs: null } } }, rate: '1x', traffic: { classes }, claim: 'prediction' }
  const made = comparisonOf([file], { quiet: true, knobsFor: parseKnobs })
  t.match(made, { design: 'sweep', claims: ['prediction'], quiet: true })
  t.match(made.conditions, [{ id: 'on', title: 'with it', policies: ['admission'], policyOptions: { admission: { ttftLimitMs: null } } }])
  t.equal(made.conditions.some(({ baseline }) => baseline !== undefined), false)
  t.throws(() => comparisonOf([file, { name: 'b', question: 'why?', knobs: ['mlock'] }], { quiet: false, knobsFor: parseKnobs }), /alone compares nothing; name it alone/)
  t.throws(() => comparisonOf([{ ...file, traffic: {} }], { quiet: true, knobsFor: parseKnobs }), /no interference/)
  t.same(quietClasses(classes), [{ name: 'usual', promptWords: 4, maxTokens: 4, share: 1 }])
  t.same(gatewayPolicies(['admission'], 900, { admission: { ttftLimitMs: null } }), [{ name: 'admission', slots: 'auto' }])
})
