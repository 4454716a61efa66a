import type { CallRecord } from '../../../policies/contract.js'
import { partsInside } from '../../load/capacity.js'
import { usualClasses } from '../../plan/traffic.js'
import { floorOf } from '../../stats/percentile.js'
import { signFlip } from '../../stats/signflip.js'
import { quantileRatio } from '../../stats/swap.js'
import type { CallSample, OpenLoopPlan, WorkloadClass } from '../../types.js'
import type { OpenLoopView } from '../block-summary.js'
import { ofCondition, pairsOf } from '../gate.js'
import { fewestPairs } from '../verdict.js'
import { middle } from '../window.js'
import { openLoopEntry } from './checked-claim.js'
import type { OpenLoopDraft } from './contract.js'
import { unbounded } from './leg.js'
import { ratioOfSums, withToWithout } from './open-loop-checks.js'
import { SAME_MACHINE, sameMachine } from './same-machine.js'
import { LOAD, PIDSTAT, RECORDS } from './sources.js'

const COUNTER = 'llama-server’s counter llamacpp:prompt_tokens_total'
/** A difference that would matter. */
const MATTERS = 1.1
/** Refusals that met a full server; fewer say nothing of how one of them fares. */
const REFUSALS_AT_LEAST = 5

export const promptCap = openLoopEntry({
  id: 'prompt-cap-protects-the-rest',
  statement: 'Refusing the few prompts that are far above the cap, before they queue, shortens the wait of all others; the refusal itself needs no place and no wait',
  quietStatement: 'With a cap above every prompt, prompt-cap changes nothing',
  explanation: 'llama-server evaluates prompts in batches that all slots share: while a long prompt is evaluated, every other call waits for whole batches of it, whether it has a slot or not. A few prompts of ten times the usual length are as much work as all others ' +
    'together, and each of them stops the others for seconds. How long a prompt is can be asked without a slot (/apply-template, /tokenize), so a prompt above the cap is refused before it waits for one, and its work is never done.',
  application: [
    {
      id: 'rest-ttft-p95',
      metric: 'ttft',
      what: 'p95 of the TTFT of all offered calls within the cap, with ÷ without, upper end of its interval (a call that was given up counts with the time that it had waited)',
      source: LOAD,
      value: (views, plan) => p95OfRest(views, plan)?.[1] ?? null,
      band: () => [0, 1 / 1.25],
      quiet: null
    },
    {
      id: 'refusal-under-full-load',
      metric: 'refusal-cost',
      what: 'the slowest refusal of those that met a server with all places taken ÷ TTFT of a call within the cap on an idle server',
      source: `${LOAD}, joined with ${RECORDS}`,
      value: (views, plan) => slowestRefusal(views, plan),
      band: () => [0, 1],
      quiet: null
    },
    ...(['lower', 'upper'] as const).map((end, i) => ({
      id: `rest-ttft-p50-${end}`,
      metric: 'ttft',
      what: `median TTFT of all offered calls within the cap, with ÷ without, ${end} end of its interval`,
      source: LOAD,
      value: (views: readonly OpenLoopView[], plan: OpenLoopPlan) => p50OfRest(views, plan)?.[i] ?? null,
      band: null,
      quiet: [1 / MATTERS, MATTERS] as const
    }))
  ],
  os: [{
    id: 'cpu-per-answer',
    metric: 'server-cpu',
    what: 'CPU time of llama-server per answered call within the cap, with ÷ without',
    source: PIDSTAT,
    ...withToWithout(cpuPerAnswer),
    // Each call within the cap carries its part of the long prompts' work only where they are served.
    band: draft => [0.8 / (1 + excessOf(draft)), 0.9],
    quiet: [1 / MATTERS, MATTERS]
  }],
  control: [
    sameMachine('with ÷ without: the machine was not faster with the cap', [SAME_MACHINE[0], unbounded]),
    {
      id: 'rest-refused',
      metric: 'refused-share',
      what: 'share of the calls within the cap that were refused with it: the others are not faster for being fewer',
      source: LOAD,
      value: (views, plan) => ratioOfSums(views, 'after', view => restOf(view, plan).filter(({ outcome }) => outcome === 'refused').length, view => restOf(view, plan).length),
      band: () => [0, 0]
    }
  ],
  mechanism: [
    {
      id: 'tokens-with',
      metric: 'prompt-tokens',
      what: 'prompt tokens that llama-server evaluated under load ÷ those of the answered calls within the cap, with it: nothing else was evaluated',
      source: COUNTER,
      value: (views, plan) => tokensToRest(views, plan, 'after'),
      band: () => [0.95, MATTERS]
    },
    {
      id: 'tokens-without',
      metric: 'prompt-tokens',
      what: 'the same without it',
      source: COUNTER,
      value: (views, plan) => tokensToRest(views, plan, 'before'),
      // The words of a plan leave out the template, which weighs more in short prompts; and a prompt that is given up in the middle is not counted.
      band: draft => [1 + 0.4 * excessOf(draft), 1 + 1.5 * excessOf(draft)],
      quiet: [0.95, MATTERS]
    },
    {
      id: 'refused-without-a-place',
      metric: 'refused-share',
      what: 'share of the refusals that came before admission: no wait for a place, nothing sent to llama-server',
      source: RECORDS,
      value: views => ratioOfSums(views, 'after', view => capRefusals(view).filter(hadNoPlace).length, view => capRefusals(view).length),
      band: () => [1, 1],
      quiet: null
    }
  ]
})

/** Names of the classes within the cap. */
function restNames ({ workload }: OpenLoopDraft): string[] {
  return usualClasses(workload.classes).map(({ name }) => name)
}

function wordsOf ({ promptWords }: WorkloadClass): number {
  return typeof promptWords === 'number' ? promptWords : promptWords.median
}

/** Prompt words above the cap ÷ those within it, as they are offered. */
function excessOf (draft: OpenLoopDraft): number {
  const rest = restNames(draft)
  let [within, above] = [0, 0]
  for (const cls of draft.workload.classes) {
    if (rest.includes(cls.name)) within += cls.share * wordsOf(cls)
    else above += cls.share * wordsOf(cls)
  }
  return within > 0 ? above / within : 0
}

function restOf ({ judged }: OpenLoopView, plan: OpenLoopPlan): CallSample[] {
  const names = restNames(plan)
  return judged.filter(({ cls }) => names.includes(cls))
}

/** Time to first token from the intended time, or at least as long as it had waited when it ended without one, milliseconds. */
function waits (view: OpenLoopView, plan: OpenLoopPlan): number[] {
  return restOf(view, plan).map(({ firstMs, doneMs, intendedMs }) => (firstMs ?? doneMs) - intendedMs)
}

function p95OfRest (views: readonly OpenLoopView[], plan: OpenLoopPlan): readonly [number, number] | null {
  const samples = pairsOf(views, 'before', 'after').map(({ a, b }) => ({ before: waits(a, plan), after: waits(b, plan) }))
  const fewest = Math.min(samples.flatMap(({ before }) => before).length, samples.flatMap(({ after }) => after).length)
  if (samples.length < fewestPairs || fewest < floorOf.p95) return null
  return quantileRatio(samples, 0.95, { replicates: 1000, seed: plan.seed, level: 1 - plan.alpha })?.interval ?? null
}

function p50OfRest (views: readonly OpenLoopView[], plan: OpenLoopPlan): readonly [number, number] | null {
  const logs = pairsOf(views, 'before', 'after').flatMap(({ a, b }) => {
    const [before, after] = [middle(waits(a, plan)), middle(waits(b, plan))]
    return before === null || after === null || before <= 0 || after <= 0 ? [] : Math.log(after / before)
  })
  const interval = logs.length === 0 ? null : signFlip(logs, plan.alpha, plan.seed).interval
  return interval === null ? null : [Math.exp(interval[0]), Math.exp(interval[1])]
}

function slowestRefusal (views: readonly OpenLoopView[], plan: OpenLoopPlan): number | null {
  const costsMs = ofCondition(views, 'after').flatMap(({ block }) => {
    const records = new Map(block.records.map(record => [record.id, record]))
    return block.calls.flatMap(({ phase, outcome, weirId, sentMs, doneMs }) => {
      const gauges = records.get(weirId ?? '')?.gauges
      return phase === 'load' && outcome === 'refused' && gauges !== undefined && (gauges['taken'] ?? 0) >= (gauges['places'] ?? Infinity) ? doneMs - sentMs : []
    })
  })
  if (costsMs.length < REFUSALS_AT_LEAST) return null
  return Math.max(...costsMs) / plan.calibration.unloadedTtftMs
}

/** Over the whole intervals of pidstat inside the judged window. */
function cpuPerAnswer ({ block }: OpenLoopView, plan: OpenLoopPlan): number | null {
  const pidstat = block.tools?.pidstat
  if (pidstat === undefined) return null
  const names = restNames(plan)
  const lives = block.calls.filter(({ phase, cls, outcome }) => phase === 'load' && outcome === 'answered' && names.includes(cls)).map(call => ({ fromMs: call.intendedMs, toMs: call.doneMs }))
  const answers = partsInside(lives, pidstat.fromMs, pidstat.toMs)
  return answers > 0 ? pidstat.cpuUsec / answers : null
}

function tokensToRest (views: readonly OpenLoopView[], plan: OpenLoopPlan, condition: string): number | null {
  const names = restNames(plan)
  return ratioOfSums(views, condition, ({ block: { evidence } }) => {
    const [from, to] = [evidence.serverCountersAtStart?.['prompt_tokens_total'], evidence.serverCountersAtEnd?.['prompt_tokens_total']]
    return from === undefined || to === undefined ? null : to - from
  }, ({ block }) => block.calls.reduce((sum, { phase, cls, outcome, promptTokens = 0 }) => phase === 'load' && outcome === 'answered' && names.includes(cls) ? sum + promptTokens : sum, 0))
}

function capRefusals ({ block }: OpenLoopView): CallRecord[] {
  return block.records.filter(({ reason }) => reason === 'prompt-cap')
}

function hadNoPlace ({ admittedAtMs, queueWaitMs, decisions }: CallRecord): boolean {
  return admittedAtMs === undefined && queueWaitMs === 0 && decisions.every(({ policy }) => policy !== 'admission')
}
