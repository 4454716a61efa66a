/** The claims of policies that answer several calls with the work of one: what the trace says could be shared, and whether just that was not asked upstream. */
import { LEFT } from '../../load/client.js'
import { makeTrace, type TraceEntry } from '../../load/trace.js'
import type { Block, CallSample, Claim, Contrast, Leg, OpenLoopPlan, OpenLoopWorkload, Prediction, WorkloadClass } from '../../types.js'
import type { OpenLoopView } from '../block-summary.js'
import { ofCondition } from '../gate.js'
import { isOpenLoop } from '../plan-kind.js'
import { ratio } from '../ratio.js'
import { number } from '../verdict.js'
import { middle, scheduledTtftMs } from '../window.js'
import type { ClaimEntry, OpenLoopDraft } from './contract.js'
import { allOf, bandLeg, both, contrastLeg, missingLeg, predictionOf, withStatus } from './leg.js'
import { SAME_MACHINE } from './same-machine.js'
import { LOAD, PROC_AND_TOKENS } from './sources.js'

export interface SharedWork {
  readonly id: string
  readonly policy: string
  readonly statement: string
  /** Where nothing can be shared. */
  readonly idleStatement: string
  readonly explanation: string
  /** Verdict of the policy on a call that it answers with the work of another one. */
  readonly verdict: 'serve' | 'follow'
  /** Share of the calls that may be asked upstream though the trace says that they need not be: what it does not tell is what else is at work at that moment. */
  readonly chance: number
  /** Whether a call can have the answer of another one, by the prompts before it and beside it. */
  readonly isShared: (entry: TraceEntry, earlier: readonly TraceEntry[]) => boolean
  /** Most that the median time to first token of those calls may be of what it was without. */
  readonly ttftRatio: number
  /** Most that the median may be, milliseconds; absent: it waits for the one that is asked. */
  readonly ttftMs?: number
}

const ids = {
  ttftRatio: 'shared-ttft-ratio',
  ttftMs: 'shared-ttft-ms',
  equal: 'ttft-ratio',
  cpu: 'cpu-per-received-token-ratio',
  closedLoop: 'closed-loop-cpu-per-token',
  upstream: 'upstream-share',
  upstreamBefore: 'upstream-share-before',
  sharedOfOwn: 'shared-among-prompts-of-their-own',
  wrong: 'wrong-answers',
  stayed: 'answered-of-those-who-stayed',
  distinct: 'answers-per-prompt'
} as const

const MATTERS = 1.1
/** Of CPU time: readings at the ends of the window. */
const TOLERANCE = 0.1
const recordSource = 'the gateway’s records'

export function sharedWorkEntry (work: SharedWork): ClaimEntry {
  return {
    id: work.id,
    predictions: draft => isOpenLoop(draft) ? predictions(work, draft) : [],
    claims: (plan, _blocks, { openLoop, contrasts }) => isOpenLoop(plan) ? [claimOf(work, plan, openLoop, contrasts)] : []
  }
}

/** Share of the judged calls that must be asked upstream, and how many there are. */
export function expectedUpstream (isShared: SharedWork['isShared'], workload: OpenLoopWorkload, traceSeeds: readonly number[]): { readonly share: number, readonly calls: number } {
  let [asked, all] = [0, 0]
  for (const seed of new Set(traceSeeds)) {
    const trace = traceOf(workload, seed)
    trace.forEach((entry, index) => {
      // Calls that come together may go on beyond the window.
      if (entry.atMs < workload.rampSeconds * 1000 || entry.atMs >= (workload.rampSeconds + workload.windowSeconds) * 1000) return
      all++
      if (!isShared(entry, trace.slice(0, index))) asked++
    })
  }
  return { share: all === 0 ? 1 : asked / all, calls: all }
}

function traceOf (workload: OpenLoopWorkload, seed: number): TraceEntry[] {
  return makeTrace({ ...workload, seed, seconds: workload.rampSeconds + workload.windowSeconds })
}

function predictions (work: SharedWork, { workload, blocks }: OpenLoopDraft): Prediction[] {
  const { share, calls } = expectedUpstream(work.isShared, workload, blocks.map(({ traceSeed }) => traceSeed))
  // Half a call of an arm: not one may be asked upstream that need not be.
  const exact = 0.5 / Math.max(1, calls)
  const common: Prediction[] = [
    { id: ids.closedLoop, metric: 'closed-loop-cpu-per-token', statement: 'CPU time per token of the closed loop straight at llama-server, with ÷ without: the machine is the same', lo: SAME_MACHINE[0], hi: SAME_MACHINE[1] },
    { id: ids.upstreamBefore, metric: 'upstream-share', statement: 'without the policy every call is asked upstream', lo: 1, hi: 1 }
  ]
  if (share === 1) {
    return [
      ...common,
      { id: ids.equal, metric: 'ttft-answered-p50', statement: 'equivalent: the median TTFT is within a tenth', lo: 1 / MATTERS, hi: MATTERS },
      { id: ids.cpu, metric: 'server-cpu-per-token', statement: 'equivalent: CPU time of llama-server per received token is within a tenth', lo: 1 / MATTERS, hi: MATTERS },
      { id: ids.upstream, metric: 'upstream-share', statement: 'every call is asked upstream', lo: 1, hi: 1 },
      { id: ids.sharedOfOwn, metric: 'upstream-share', statement: 'no call gets the answer of another one', lo: 0, hi: 0 }
    ]
  }
  return [
    ...common,
    { id: ids.ttftRatio, metric: 'ttft', statement: `median TTFT of the calls that get an answer of another one ÷ that of their class without the policy is at most ${number(work.ttftRatio)}`, lo: 0, hi: work.ttftRatio },
    ...(work.ttftMs === undefined ? [] : [{ id: ids.ttftMs, metric: 'ttft', statement: `and at most ${work.ttftMs} ms`, lo: 0, hi: work.ttftMs }]),
    { id: ids.cpu, metric: 'server-cpu-per-token', statement: 'CPU time of llama-server per received token falls as the calls upstream do', lo: 0, hi: Math.min(1 / MATTERS, share * 1.25 + TOLERANCE) },
    { id: ids.upstream, metric: 'upstream-share', statement: 'of the judged calls as many are asked upstream as the trace has that nobody asked before, or asks beside them', lo: Math.max(0, share - Math.max(exact, work.chance / 10)), hi: Math.min(1, share + Math.max(exact, work.chance)) },
    { id: ids.wrong, metric: 'answers', statement: 'calls whose answer is not that of a call with the same prompt that was asked upstream', lo: 0, hi: 0 },
    { id: ids.distinct, metric: 'answers', statement: 'without the policy different prompts have different answers, so that a wrong one is seen: different first answers ÷ different prompts', lo: 0.9, hi: 1 },
    { id: ids.stayed, metric: 'answered-share', statement: 'of the clients that do not leave, all get their answer', lo: 1, hi: 1 },
    { id: ids.sharedOfOwn, metric: 'upstream-share', statement: 'calls with a prompt of their own never get an answer of another one', lo: 0, hi: 0 }
  ]
}

function claimOf (work: SharedWork, plan: OpenLoopPlan, views: readonly OpenLoopView[], contrasts: readonly Contrast[]): Claim {
  const paired = (statement: string, source: string, metric: string, id: string): Leg => contrastLeg(statement, source, contrasts.find(contrast => contrast.id === metric), 'ratio', predictionOf(plan, id))
  const idle = predictionOf(plan, ids.equal) !== undefined
  const upstream = (condition: string): number | null => shareOf(views, condition, () => true, block => callId => admitted(block, callId))
  const control = paired('CPU time per token in the closed loop, with ÷ without', PROC_AND_TOKENS, 'closed-loop-cpu-per-token', ids.closedLoop)
  const owns = (call: CallSample): boolean => !mayShare(classOf(plan, call))
  const ofOwn = plan.workload.classes.some(cls => !mayShare(cls))
    ? [bandLeg('of the calls with a prompt of their own so many got an answer of another one', recordSource, shareOf(views, 'after', owns, block => id => verdictOf(block, id, work)), predictionOf(plan, ids.sharedOfOwn))]
    : []
  const legs = {
    application: idle ? paired('median TTFT, with ÷ without', LOAD, 'ttft-answered-p50', ids.equal) : sharedLeg(work, plan, views),
    os: paired('CPU time of llama-server per token that clients received, with ÷ without', PROC_AND_TOKENS, 'server-cpu-per-token', ids.cpu),
    control: allOf([control, ...ofOwn, ...(idle || isOfEarlierPlan(plan, views) ? [] : [bandLeg('different first answers ÷ different prompts, without', LOAD, answersPerPrompt(plan, views), predictionOf(plan, ids.distinct))])]),
    mechanism: allOf([
      bandLeg('calls asked upstream ÷ judged calls with the policy', recordSource, upstream('after'), predictionOf(plan, ids.upstream)),
      bandLeg('without', recordSource, upstream('before'), predictionOf(plan, ids.upstreamBefore))
    ])
  }
  const predicted = predictionOf(plan, ids.upstream)
  return withStatus({
    id: work.id,
    statement: idle ? work.idleStatement : work.statement,
    predicted: predicted === undefined ? 'nothing was predicted before the run' : `calls upstream ÷ calls: ${number(predicted.lo)} to ${number(predicted.hi)}`,
    ...legs,
    explanation: work.explanation
  })
}

function sharedLeg (work: SharedWork, plan: OpenLoopPlan, views: readonly OpenLoopView[]): Leg {
  const source = 'load generator (calls.ndjson), told apart by the gateway’s records'
  const shared = ttftOf(views, 'after', (call, block) => verdictOf(block, call.weirId, work) === true)
  const before = ttftOf(views, 'before', call => mayShare(classOf(plan, call)))
  if (shared === null) return missingLeg('median TTFT of the calls that got an answer of another one', source, 'there were none')
  return allOf([
    bandLeg('median TTFT of the calls that got an answer of another one ÷ that of their class without', source, ratio(shared, before), predictionOf(plan, ids.ttftRatio), both(before, shared)),
    ...(work.ttftMs === undefined ? [] : [bandLeg('and in milliseconds', source, shared, predictionOf(plan, ids.ttftMs))]),
    ...(isOfEarlierPlan(plan, views)
      ? []
      : [
          bandLeg('calls whose answer is not that of a call with the same prompt that was asked upstream', source, wrongAnswers(work, plan, views), predictionOf(plan, ids.wrong)),
          bandLeg('answered ÷ sent with the policy, of the clients that did not leave', source, answeredOfStayed(views), predictionOf(plan, ids.stayed))
        ])
  ])
}

/** Calls had no hash of their answer when those plans were made. */
function isOfEarlierPlan (plan: OpenLoopPlan, views: readonly OpenLoopView[]): boolean {
  return predictionOf(plan, ids.wrong) === undefined && !views.some(({ judged }) => judged.some(({ answerHash }) => answerHash !== undefined))
}

/** Where nobody got an own answer (its client had left), the first of those that shared it stands for it. Null when an answer has no hash. */
function wrongAnswers (work: SharedWork, { workload }: OpenLoopPlan, views: readonly OpenLoopView[]): number | null {
  let wrong = 0
  for (const { block } of ofCondition(views, 'after')) {
    const { promptOf, answered } = answersOf(workload, block)
    if (answered.some(({ answerHash }) => answerHash === undefined)) return null
    const isShared = ({ weirId }: CallSample): boolean => verdictOf(block, weirId, work) === true
    const right = new Map<string, Set<string | undefined>>()
    for (const call of [...answered.filter(call => !isShared(call)), ...answered.filter(isShared)]) {
      const prompt = promptOf.get(call.seq) ?? ''
      const known = right.get(prompt)
      if (known === undefined) right.set(prompt, new Set([call.answerHash]))
      else if (!isShared(call)) known.add(call.answerHash)
      else if (!known.has(call.answerHash)) wrong++
    }
  }
  return ofCondition(views, 'after').length === 0 ? null : wrong
}

/** Answered calls of a load, those that were asked first first, and which prompt each number of a call has. */
function answersOf (workload: OpenLoopWorkload, { evidence, calls }: Block): { readonly promptOf: ReadonlyMap<number, string>, readonly answered: readonly CallSample[] } {
  return {
    promptOf: new Map(traceOf(workload, evidence.plan.traceSeed).map(({ seq, cls, promptSeed }) => [seq, `${cls} ${promptSeed}`])),
    answered: calls.filter(({ phase, outcome }) => phase === 'load' && outcome === 'answered').sort((a, b) => a.intendedMs - b.intendedMs)
  }
}

/** Of a prompt that is asked again the first answer counts: computed beside other calls, it may differ in a word. Null when an answer has no hash. */
function answersPerPrompt ({ workload }: OpenLoopPlan, views: readonly OpenLoopView[]): number | null {
  let [answers, prompts] = [0, 0]
  for (const { block } of ofCondition(views, 'before')) {
    const { promptOf, answered } = answersOf(workload, block)
    if (answered.some(({ answerHash }) => answerHash === undefined)) return null
    const first = new Map<string, string | undefined>()
    for (const { seq, answerHash } of answered) if (!first.has(promptOf.get(seq) ?? '')) first.set(promptOf.get(seq) ?? '', answerHash)
    prompts += first.size
    answers += new Set(first.values()).size
  }
  return ratio(answers, prompts)
}

function answeredOfStayed (views: readonly OpenLoopView[]): number | null {
  const stayed = ofCondition(views, 'after').flatMap(({ judged }) => judged.filter(({ reason }) => reason !== LEFT))
  return ratio(stayed.filter(({ outcome }) => outcome === 'answered').length, stayed.length)
}

function classOf ({ workload }: OpenLoopPlan, { cls }: CallSample): WorkloadClass | undefined {
  return workload.classes.find(({ name }) => name === cls)
}

/** Whether its prompts are asked more than once. */
function mayShare (cls: WorkloadClass | undefined): boolean {
  return cls?.prompts !== undefined || cls?.together?.prompt === 'one'
}

/** Undefined: there is no record of it. */
function admitted (block: Block, weirId: string | undefined): boolean | undefined {
  const record = recordsOf(block).get(weirId ?? '')
  return record === undefined ? undefined : record.admittedAtMs !== undefined
}

function verdictOf (block: Block, weirId: string | undefined, { policy, verdict }: SharedWork): boolean | undefined {
  return recordsOf(block).get(weirId ?? '')?.decisions.some(decision => decision.policy === policy && decision.mode === 'on' && decision.verdict === verdict)
}

const byId = new WeakMap<Block, Map<string, Block['records'][number]>>()

function recordsOf (block: Block): Map<string, Block['records'][number]> {
  const known = byId.get(block) ?? new Map(block.records.map(record => [record.id, record]))
  byId.set(block, known)
  return known
}

/** Of the judged calls of a condition that were answered or whose client left; null when one of them has no record, or there is none. */
function shareOf (views: readonly OpenLoopView[], condition: string, which: (call: CallSample) => boolean, says: (block: Block) => (weirId: string | undefined) => boolean | undefined): number | null {
  const said = ofCondition(views, condition).flatMap(({ judged, block }) => judged.filter(call => (call.outcome === 'answered' || call.reason === LEFT) && which(call)).map(call => says(block)(call.weirId)))
  return said.length === 0 || said.includes(undefined) ? null : said.filter(one => one === true).length / said.length
}

function ttftOf (views: readonly OpenLoopView[], condition: string, which: (call: CallSample, block: Block) => boolean): number | null {
  return middle(ofCondition(views, condition).flatMap(({ judged, block }) => judged.filter(call => which(call, block)).flatMap(call => scheduledTtftMs(call) ?? [])))
}
