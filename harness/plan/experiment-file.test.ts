import t from 'tap'
import { experimentFiles, isSweep, parseExperiment, readExperiment } from './experiment-file.js'
import { gatewayPolicies, policyNames } from './policies.js'
import { conditionsOfSweep, streamsOf } from './sweep.js'
import { asksWhenAnswered } from './traffic.js'
import { parseMix, parseRate } from './workload.js'
import { claimEntry } from '../analyse/claims/index.js'
import { parseKnobs } from '../knobs/index.js'

t.test('every file of bench/experiments can be run: its policies, knobs, load and claim are known', async t => {
  for (const file of experimentFiles()) {
    if (file.claim !== undefined) t.equal(claimEntry(file.claim).id, file.claim)
    if (isSweep(file)) {
      t.ok(conditionsOfSweep(file, parseKnobs).length > 1, file.name)
      continue
    }
    const named = [...file.policies ?? [], ...[file.before, file.after, file.only].flatMap(side => Object.keys(side?.policies ?? {}))]
    t.same(named.filter(name => !policyNames().includes(name)), [], file.name)
    for (const own of [file.knobs, file.beforeKnobs]) t.equal(parseKnobs([...file.setting ?? [], ...own ?? []]).some(knob => knob.title === ''), false)
    if (file.workload === undefined) t.ok((file.traffic?.classes ?? parseMix(file.mix ?? '')).length > 0 && (asksWhenAnswered(file.traffic) || parseRate(file.rate ?? '')), file.name)
    else t.equal(streamsOf(file.workload).kind, 'streams')
  }
})

t.test('every policy can be toggled by its name', async t => {
  const files = experimentFiles()
  for (const name of policyNames()) t.ok(files.some(file => file.name === name && !isSweep(file) && (file.policies?.includes(name) === true || (file.after?.policies?.[name] !== undefined && file.before?.policies?.[name] === undefined))), name)
})

t.test('gateway policies: outermost first whatever the order typed', async t => {
  t.strictSame(gatewayPolicies(['admission', 'prompt-cap'], 900).map(policy => policy.name), ['prompt-cap', 'admission'])
  t.match(gatewayPolicies(['admission'], 900), [{ ttftLimitMs: 900 }])
  t.match(gatewayPolicies(['admission'], 900, { admission: { fair: true, ttftLimitMs: 50 } }), [{ name: 'admission', slots: 'auto', fair: true, ttftLimitMs: 50 }])
  t.strictSame(gatewayPolicies(['admission'], 900, { admission: { ttftLimitMs: null } }), [{ name: 'admission', slots: 'auto' }])
})

const workload = { kind: 'streams', calls: 2, predictTokens: 200 }

t.test('a mistake in a file names file, place, value and what is allowed', async t => {
  const base = { name: 'x', question: 'why?' }
  const cls = { name: 'a', promptWords: 4, maxTokens: 4, share: 1 }
  const side = { title: 'a side', policies: { admission: {} } }
  const sides = { ...base, before: side, after: side, rate: '2x' }
  const cases: ReadonlyArray<readonly [unknown, RegExp]> = [
    [{ ...base, policies: ['admission'] }, /x\.json: no load; give rate and mix or .* or workload/],
    [{ ...base, rate: '2x', mix: 'a:1/1:1' }, /nothing is toggled; give policies, knobs or beforeKnobs, or before and after/],
    [{ ...base, knobs: ['mlock'], workload, rate: '2x' }, /both workload and rate or mix/],
    [{ ...base, policies: ['admission'], workload }, /policies admission under streams: .* past the gateway/],
    [{ ...base, knobs: ['mlock'], rate: '2x', mix: 'a:1/1:1', primary: 'itl-p99' }, /only streams choose their primary/],
    [{ ...base, knobs: ['mlock'], workload, primary: 'speed' }, /primary is "speed"/],
    [{ ...base, knobs: 'mlock', workload }, /knobs is "mlock": Expected array/],
    [{ ...base, knob: ['mlock'], workload }, /knob is \["mlock"\]: Unexpected property/],
    [{ ...base, name: 'X Y', knobs: ['mlock'], workload }, /name is "X Y"/],
    [{ ...base, policies: ['admission'], rate: '2x', mix: 'a:1/1:1', traffic: { classes: [cls] } }, /no load; give rate and mix or traffic\.classes/],
    [{ ...base, before: side, rate: '2x', mix: 'a:1/1:1' }, /one of before and after is there; give both/],
    [{ ...base, policies: ['admission'], before: side, after: side, rate: '2x', mix: 'a:1/1:1' }, /the sides name their own policies/],
    [{ ...base, only: side, policies: ['admission'], rate: '2x', mix: 'a:1/1:1' }, /only is there beside what is toggled/],
    [{ ...sides, traffic: { classes: [{ ...cls, interference: true }] } }, /every class with a share is interference/],
    [{ ...sides, traffic: { classes: [cls, { ...cls, name: 'b', interference: true, leave: { share: 0.3, shareOfUnloadedTtft: 0.3 } }] } }, /b is interference and its clients leave/],
    [{ ...sides, traffic: { classes: [cls], burst: { rate: '4x', fromSeconds: 1 }, conversations: { perSlot: 2, turns: 3, firstWords: 4, turnWords: 4, answerTokens: 4, thinkSeconds: 1, thinkSpread: 0 } } }, /conversations and a burst/],
    [{ ...sides, traffic: { classes: [{ ...cls, together: { calls: 50, prompt: 'one' } }], workers: { perSlot: 8 } } }, /workers and also a burst, conversations or calls that come together/],
    [{ ...sides, after: { ...side, retry: { wait: 'told', tries: 2, patienceSeconds: 1 } }, traffic: { classes: [cls], workers: { perSlot: 8 } } }, /retry.*workers/],
    [{ ...sides, traffic: { classes: [cls], workers: { perSlot: 8 } } }, /rate is 2x and traffic has workers or conversations.*leave rate out/],
    [{ ...sides, traffic: { classes: [cls, cls] } }, /traffic\.classes has a twice/],
    [{ ...sides, traffic: { classes: [{ ...cls, share: 0 }] } }, /no class has a share above 0/],
    [{ ...sides, traffic: { classes: [cls], burst: { rate: '4x', fromSeconds: 1, shares: { b: 1 } } } }, /traffic\.burst\.shares\.b: no class has this name; there are a/],
    [{ ...sides, traffic: { classes: [cls], burst: { rate: 'fast', fromSeconds: 1 } } }, /traffic\.burst\.rate: "fast" is not a rate/],
    [{ ...sides, traffic: { classes: [{ ...cls, promptWords: { median: 4, sigma: 1, from: 9, to: 8 } }] } }, /a has a length with from above to/],
    [{ ...sides, traffic: { classes: [{ ...cls, caller: 'x' }, { ...cls, name: 'b' }] } }, /some classes have a caller and some have none/],
    [{ ...sides, traffic: { classes: [{ ...cls, caller: 'x' }], grants: { y: { weight: 2 } } } }, /traffic\.grants\.y: no class has this caller; there are x/],
    [{ ...base, before: side, after: side, rate: '2x', mix: 'a:1/1:1', traffic: { burst: { rate: '4x', fromSeconds: 1, shares: { a: 1 } } } }, /shares or grants, but no classes/],
    [{ ...base, kind: 'sweep', workload, baseline: 'none' }, /no cells; give cells, or a grid/],
    [{ ...base, kind: 'sweep', workload: { ...workload, predictTokens: 1 }, baseline: 'none', cells: [] }, /workload\.predictTokens is 1: Expected integer to be greater or equal to 2/],
    [{ ...base, kind: 'sweep', workload, baseline: 'a', cells: [{ id: 'a/b' }] }, /cells\.0\.id is "a\/b"/],
    [{ ...base, kind: 'sweep', workload, baseline: 'a', cells: [{ id: 'a', workload: { clients: 0 } }] }, /cells\.0\.workload\.clients is 0: Expected integer to be greater or equal to 1/],
    [{ ...base, kind: 'sweep', workload, baseline: 'a', cells: [{ id: 'a', workload: { kind: 'streams' } }] }, /cells\.0\.workload\.kind is "streams": Unexpected property/],
    [{ ...base, kind: 'sweep', workload, outcomes: ['speed'], baseline: 'a', cells: [{ id: 'a' }] }, /outcomes\.0 is "speed"/],
    [{ ...base, kind: 'sweep', workload, baseline: 'a', grid: [[{ id: 'a-b' }]] }, /grid\.0\.0\.id is "a-b"/],
    [{ ...base, kind: 'sweep', workload, baseline: 'a', cells: [{ id: 'a' }], repeats: { smoke: 1 } }, /repeats\.laptop is undefined/],
    [7, /the file is 7/]
  ]
  for (const [json, message] of cases) t.throws(() => parseExperiment(json, 'x.json'), { name: 'UsageError', message })
  const folder = t.testdir({ 'broken.json': '{' })
  t.throws(() => readExperiment(`${folder}/broken.json`), /broken\.json is not JSON/)
  t.throws(() => readExperiment(`${folder}/none.json`), /none\.json does not exist/)
})

t.test('only ids of points may not have a hyphen: they are joined by it', async t => {
  t.match(parseExperiment({ name: 'x', question: 'why?', kind: 'sweep', workload, baseline: 'q-1', cells: [{ id: 'q-1' }] }, 'x.json'), { cells: [{ id: 'q-1' }] })
})
