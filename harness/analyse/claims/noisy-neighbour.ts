import type { Claim, Condition, Leg, Prediction, StreamsPlan } from '../../types.js'
import { cpuPerToken, cpusUsed, middleOfPairs, rate, ratioOf, timeOf } from '../contention.js'
import { isStreams } from '../plan-kind.js'
import type { StreamsView } from '../streams-summary.js'
import { number } from '../verdict.js'
import { predictedBy } from './checks.js'
import { queueLeg, ratioLeg, rivalLegs } from './contention-legs.js'
import type { ClaimEntry, StreamsDraft } from './contract.js'
import { allOf, bandLeg, missingLeg, predictionOf, unbounded, withStatus } from './leg.js'
import { LOAD, PROC } from './sources.js'
import { COLD_CACHES, rivalChecks, sourceAtPace } from './streams-checks.js'

/** The dose of a condition; conditions without one have hogs of the idle class. */
const DOSE = 'hogs per CPU'
/** Of a predicted ratio: short of it by so much is still as predicted. */
const SLACK = 0.8

/**
 * Hogs beside the threads of llama-server, as many or twice as many as CPUs: one thread, pinned, loses its fair share; two that wait for each other keep
 * at most the square of theirs. The one thread has a model that is far larger than the caches, whose weights come from memory for each token in any case: one of 53 MB, which they
 * hold in part, took 1.23 and 1.38 times the CPU time for a token beside hogs (bench/measured, study-next-day). (A thread that may move gets more than its share: on Linux 6.18 0.6 of a CPU beside four hogs on two.)
 */
export const noisyNeighbour: ClaimEntry = {
  id: 'noisy-neighbour',
  predictions (draft, manifest) {
    if (!isStreams(draft)) return []
    const ofOne = dosesOf(draft.conditions, 1).flatMap(({ dose }) => fairShare(dose, speedOf(draft, 1)))
    const ofTwo = dosesOf(draft.conditions, 2).flatMap(({ dose }) => collapse(dose, speedOf(draft, 2), manifest.autogroup === true))
    return [...ofOne, ...ofTwo, ...[1, 2].map(idleBand), ...predictedBy(rivalChecks, draft, manifest)]
  },
  claims: (plan, _blocks, { streams }) => isStreams(plan) ? [oneThread(plan, streams), twoThreads(plan, streams)] : []
}

function fairShare (dose: number, tokensPerSecond: string): Prediction[] {
  const [slower, waits] = [1 + dose, dose / (1 + dose)]
  const beside = `1 thread, ${hogs(dose)} on each CPU`
  return [
    { id: `t1-slower-${dose}`, metric: 'tokens-per-second', statement: `${beside}: tokens/s are ${slower} times fewer than without hogs (${tokensPerSecond})`, lo: 0.8 * slower, hi: 1.25 * slower },
    { id: `t1-queue-${dose}`, metric: 'queue-share', statement: `${beside}: the share of its time in run queues is at least hogs ÷ (hogs + 1): that of its compute thread; without pidstat its HTTP threads, which wait for the same CPU, are in it`, lo: waits - 0.1, hi: 1 },
    { id: `t1-cpus-${dose}`, metric: 'cpus-used', statement: `${beside}: it gets 1 ÷ (hogs + 1) of the CPU time that it had`, lo: 0.8 / slower, hi: 1.25 / slower },
    { id: `t1-work-${dose}`, metric: 'server-cpu-per-token', statement: `${beside}: a token costs as much CPU time as before: the time is taken, not wasted`, lo: 0.85, hi: COLD_CACHES }
  ]
}

function hogs (count: number): string {
  return count === 1 ? 'one hog' : `${count} hogs`
}

/**
 * They get on only while both run. Hogs and threads take turns on each CPU by themselves, so that both threads are on their CPUs in the square of the share that each has, and barriers
 * in between cost more. A thread gets at most 1 ÷ (hogs + 1) of its CPU; where sessions share out the CPUs the weight of llama-server's is split over two of them and a hog's is not
 * (sched(7), autogroup), down to 1 ÷ (2 hogs + 1).
 */
function collapse (dose: number, tokensPerSecond: string, autogroup: boolean): Prediction[] {
  const most = 1 / (1 + dose)
  const least = autogroup ? 1 / (1 + 2 * dose) : most
  const share = autogroup ? `1 ÷ ${1 + 2 * dose} to 1 ÷ ${1 + dose}` : `1 ÷ ${1 + dose}`
  const beside = `2 threads, ${hogs(dose)} on each CPU`
  return [
    { id: `t2-slower-${dose}`, metric: 'tokens-per-second', statement: `${beside}: tokens/s are at least ${number(SLACK)} × (hogs + 1)² = ${number(SLACK / most ** 2)} times fewer than without hogs (${tokensPerSecond}): both run at once in no more than the square of the share of each`, lo: SLACK / most ** 2, hi: unbounded },
    { id: `t2-square-${dose}`, metric: 'tokens-per-second', statement: `${beside}: tokens/s without hogs ÷ with, times the square of the share of their CPU time that they kept: at least ${number(SLACK)}, and more by what barriers cost; ${number(most)} if only the time were missing`, lo: SLACK, hi: unbounded },
    { id: `t2-queue-${dose}`, metric: 'queue-share', statement: `${beside}: each thread gets ${share} of the time that it wants to run, as fair as a single one, and waits for the rest`, lo: 0.9 - most, hi: 1.1 - least },
    { id: `t2-cpus-${dose}`, metric: 'cpus-used', statement: `${beside}: they get ${share} of the CPU time that they had`, lo: SLACK * least, hi: most / SLACK },
    { id: `t2-work-${dose}`, metric: 'server-cpu-per-token', statement: `${beside}: a token costs at least ${number(SLACK)} × (hogs + 1) = ${number(SLACK / most)} times as much CPU time: what they get they spin away`, lo: SLACK / most, hi: unbounded }
  ]
}

function idleBand (threads: number): Prediction {
  return { id: `t${threads}-idle`, metric: 'tokens-per-second', statement: `${threads} thread${threads === 1 ? '' : 's'}, the same hogs in the idle class: tokens/s as without hogs (÷)`, lo: 0.85, hi: 1.15 }
}

function oneThread (plan: StreamsPlan, views: readonly StreamsView[]): Claim {
  const doses = dosesOf(plan.conditions, 1)
  const each = (what: string, leg: (dose: Dose) => Leg): Leg => allOr(doses.map(leg), what)
  return withStatus({
    id: 'noisy-neighbour-takes-its-share',
    statement: 'CPU hogs beside one pinned compute thread take their fair share of its CPU, no more: it decodes as many times slower as there are programs on the CPU',
    predicted: doses.map(({ dose }) => `${dose} on each CPU: ${number(1 + dose)} times fewer tokens/s`).join('; '),
    explanation: 'The kernel divides a CPU evenly between programs of the same weight. A thread that computes alone loses just the slices that it does not get: its tokens cost the same CPU time as before, and wait for the CPU in between. (Its model is far larger than the caches: beside the same hogs one that they hold in part took up to 1.4 times the CPU time for a token.)',
    application: each('tokens/s', dose => slowerLeg(plan, views, 1, dose)),
    os: each('run queues', ({ dose, id }) => queueLeg(plan, views, `1 thread, ${hogs(dose)} per CPU`, id, `t1-queue-${dose}`)),
    mechanism: each('CPU time', ({ dose, id, base }) => allOf([
      ratioLeg(plan, views, `CPUs used, ${hogs(dose)} per CPU ÷ none`, PROC, [base, id], cpusUsed, `t1-cpus-${dose}`),
      ratioLeg(plan, views, 'CPU time per token ÷ none', PROC, [base, id], timeOf(cpuPerToken), `t1-work-${dose}`)
    ])),
    control: controlLeg(plan, views, 1)
  })
}

/** Plans before told nothing of the square: they predicted ten times fewer tokens/s with one hog on each CPU, and nothing of two. */
function isOfEarlierPlan (plan: StreamsPlan): boolean {
  return predictionOf(plan, 't2-slower-1')?.lo === 10
}

function twoThreads (plan: StreamsPlan, views: readonly StreamsView[]): Claim {
  const isEarlier = isOfEarlierPlan(plan)
  const doses = dosesOf(plan.conditions, 2).filter(({ dose }) => !isEarlier || dose === 1)
  const each = (what: string, leg: (dose: Dose) => Leg): Leg => allOr(doses.map(leg), what)
  return withStatus({
    id: 'noisy-neighbour-collapse',
    statement: isEarlier
      ? 'One CPU hog on each core cuts the decoding of two threads more than ten times, because they need both cores at the same moment'
      : 'CPU hogs on each core leave two threads at most the square of the share that they leave to one, because they need both cores at the same moment',
    predicted: isEarlier
      ? 'at least 10 times fewer tokens/s, while each thread gets its fair share of its CPU as a single one does'
      : `${doses.map(({ dose }) => `${dose} on each CPU: at least ${number(SLACK * (1 + dose) ** 2)} times fewer tokens/s`).join('; ')}; while each thread gets its fair share of its CPU as a single one does`,
    explanation: 'ggml’s threads meet at a barrier many times a token, and spin until all are there. Beside hogs each runs for a part of the time, but not the same part of it: the one that runs spins away its slice for the other that waits in its run queue. ' +
      'Work goes on only while both run, which is the product of their shares. So a token costs many times its CPU time, and the gaps between tokens are as long as the scheduler’s slices add up to.',
    application: each('tokens/s', dose => slowerLeg(plan, views, 2, dose)),
    os: each('run queues', ({ dose, id }) => queueLeg(plan, views, `2 threads, ${hogs(dose)} per CPU`, id, `t2-queue-${dose}`)),
    mechanism: each('CPU time', dose => allOf([
      ratioLeg(plan, views, `CPU time per token, ${hogs(dose.dose)} per CPU ÷ none`, PROC, [dose.base, dose.id], timeOf(cpuPerToken), `t2-work-${dose.dose}`),
      ratioLeg(plan, views, `CPUs used, ${hogs(dose.dose)} per CPU ÷ none`, PROC, [dose.base, dose.id], cpusUsed, `t2-cpus-${dose.dose}`),
      ...(isEarlier ? [] : [squareLeg(plan, views, dose)])
    ])),
    control: controlLeg(plan, views, 2)
  })
}

/** What the load generator counted times the square of what the kernel counted, in each repeat by itself. */
function squareLeg (plan: StreamsPlan, views: readonly StreamsView[], { dose, id, base }: Dose): Leg {
  const value = middleOfPairs(views, base, id, (without, beside) => {
    const [slower, kept] = [ratioOf(rate)(beside, without), ratioOf(cpusUsed)(without, beside)]
    return slower === null || kept === null ? null : slower * kept ** 2
  })
  return bandLeg(`tokens/s without hogs ÷ with, times the square of the share of their CPU time that they kept, ${hogs(dose)} per CPU`, sourceAtPace(`${LOAD}; ${PROC}`, views), value, predictionOf(plan, `t2-square-${dose}`))
}

function slowerLeg (plan: StreamsPlan, views: readonly StreamsView[], threads: number, { dose, id, base }: Dose): Leg {
  return ratioLeg(plan, views, `tokens/s without hogs ÷ with ${hogs(dose)} per CPU (${threads === 1 ? '1 thread' : `${threads} threads`})`, LOAD, [id, base], rate, `t${threads}-slower-${dose}`)
}

/** The same hogs on the same CPUs, as hot and as hungry for caches, but without a claim to CPU time. */
function controlLeg (plan: StreamsPlan, views: readonly StreamsView[], threads: number): Leg {
  const idle = plan.conditions.find(({ factors }) => factors.threads === threads && factors[DOSE] === undefined)
  if (idle?.baseline === undefined) return missingLeg('hogs of the idle class', LOAD, 'the plan has no such condition')
  return allOf([
    ratioLeg(plan, views, 'tokens/s with hogs of the idle class ÷ without hogs', LOAD, [idle.baseline, idle.id], rate, `t${threads}-idle`),
    ...rivalLegs(plan, views)
  ])
}

interface Dose { readonly dose: number, readonly id: string, readonly base: string }

/** Whole numbers of hogs on every CPU; with fewer hogs than CPUs the kernel has a choice. */
function dosesOf (conditions: readonly Condition[], threads: number): Dose[] {
  return conditions.flatMap(({ id, factors, baseline }) => {
    const dose = factors[DOSE]
    return factors.threads === threads && typeof dose === 'number' && dose >= 1 && baseline !== undefined ? [{ dose, id, base: baseline }] : []
  })
}

function allOr ([first, ...more]: readonly Leg[], what: string): Leg {
  return first === undefined ? missingLeg(what, LOAD, 'the plan has no condition with a hog on each CPU') : allOf([first, ...more])
}

function speedOf ({ calibration }: StreamsDraft, threads: number): string {
  const found = calibration.servers.find(server => server.threads === threads)
  return found === undefined ? 'not calibrated' : `${number(found.tokensPerSecond)} in the calibration`
}
