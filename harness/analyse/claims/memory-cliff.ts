import { cliffOf, nextLimit, probeOf, type Cliff, type Probe } from '../../plan/limit-search.js'
import type { Claim, Leg, StreamsPlan } from '../../types.js'
import { middleOf, middleOfPairs, rate, ratioOf } from '../contention.js'
import { ratio } from '../ratio.js'
import type { StreamsView } from '../streams-summary.js'
import { number } from '../verdict.js'
import { allOf, bandLeg, missingLeg, predictionOf, withStatus } from './leg.js'
import { atEnd, growth, largestOf, readPerRefaulted, readSource, refaultedBytes, refaultedPerToken } from './memory-figures.js'
import { memoryLimitConditions as conditions, memoryLimitIds as ids } from './memory-limit-predictions.js'
import { LOAD } from './sources.js'

const mebi = 1024 ** 2

const explanation = 'llama.cpp maps the model file, so its weights are page cache that the kernel may drop and read again, and the limit of a control group counts them. ' +
  'Each token walks through all weights in the same order. As long as anonymous memory, the kernel’s own and these weights fit, nothing is read twice; a few pages less, and ' +
  'the page needed next is one that was dropped for the page read last: not a little slower but a cliff. Readahead fetches the pages before they are touched, ' +
  'so that major faults stay near zero; refaults (workingset_refault_file), bytes read and memory pressure tell.'

/** Below the predicted limit the whole model is read again for each token. */
export function memoryCliff (plan: StreamsPlan, views: readonly StreamsView[]): Claim {
  const legs = { application: applicationLeg(plan, views), os: storageLeg(plan, views), control: controlLeg(plan, views), mechanism: mechanismLeg(plan, views) }
  const predicted = predictionOf(plan, ids.cliff)
  return withStatus({
    id: 'memory-limit-cliff',
    statement: 'Below the memory limit at which anonymous memory and the touched model no longer fit, llama-server reads its model again for each token',
    predicted: predicted?.statement ?? 'nothing was predicted before the run',
    ...legs,
    explanation,
    ...(predicted === undefined ? {} : { doseMarks: [{ factor: 'limitMiB', at: (predicted.lo + predicted.hi) / 2, label: 'predicted cliff' }] })
  })
}

function applicationLeg (plan: StreamsPlan, views: readonly StreamsView[]): Leg {
  const source = LOAD
  const { unlimited, below, above } = conditions
  return allOf([
    bandLeg('tokens/s below the cliff ÷ unlimited', source, middleOfPairs(views, unlimited, below, ratioOf(rate)), predictionOf(plan, ids.rateBelow)),
    bandLeg('tokens/s above the cliff ÷ unlimited', source, middleOfPairs(views, unlimited, above, ratioOf(rate)), predictionOf(plan, ids.rateAbove))
  ])
}

function storageLeg (plan: StreamsPlan, views: readonly StreamsView[]): Leg {
  return bandLeg('bytes read from storage during the load ÷ refaulted pages × page size, below the cliff', `${readSource(views, conditions.below)}, against memory.stat of its group`,
    middleOf(views, conditions.below, readPerRefaulted), predictionOf(plan, ids.readPerRefaulted))
}

function controlLeg (plan: StreamsPlan, views: readonly StreamsView[]): Leg {
  const all = plan.conditions.map(({ id }) => id)
  const alive = all.filter(id => views.some(view => view.summary.condition === id && view.block.evidence.groupCountersAtStart !== undefined))
  const tinyRefaults = middleOf(views, conditions.fits, refaultedBytes)
  return allOf([
    bandLeg('tokens/s of a model that fits, at the same limit ÷ unlimited', LOAD, middleOfPairs(views, conditions.fitsUnlimited, conditions.fits, ratioOf(rate)), predictionOf(plan, ids.fitsRate)),
    bandLeg('its refaulted MiB', 'memory.stat workingset_refault_file', tinyRefaults === null ? null : tinyRefaults / mebi, predictionOf(plan, ids.fitsRefaults)),
    bandLeg('periods throttled by a CPU quota, most of any condition', 'cpu.stat nr_throttled', largestOf(views, alive, growth('cpu.stat.nr_throttled')), predictionOf(plan, ids.throttled)),
    bandLeg('anonymous pages brought back from swap, most of any condition', 'memory.stat workingset_refault_anon', largestOf(views, alive, growth('memory.stat.workingset_refault_anon')), predictionOf(plan, ids.swapped)),
    bandLeg('bytes in swap at the end, most of any condition', 'memory.swap.current', largestOf(views, alive, atEnd('memory.swap.current')), predictionOf(plan, ids.inSwap))
  ])
}

function mechanismLeg (plan: StreamsPlan, views: readonly StreamsView[]): Leg {
  const cliff = searched(plan, views)
  const touched = plan.calibration.servers.find(server => server.touched !== undefined)?.touched?.modelBytes ?? null
  const refaultsBelow = middleOf(views, conditions.below, growth('memory.stat.workingset_refault_file'))
  const full = middleOf(views, conditions.below, view => ratio(view.summary.group.memoryFullUsec ?? null, view.block.evidence.judgedToMs - view.block.evidence.judgedFromMs))
  return allOf([
    typeof cliff === 'string'
      ? missingLeg('limit of the cliff', 'binary search over memory.max', cliff)
      : bandLeg(`limit of the cliff in MiB (below at ${cliff.belowBytes === undefined ? 'none' : number(cliff.belowBytes / mebi)}, fits at ${cliff.fitsBytes === undefined ? 'none' : number(cliff.fitsBytes / mebi)})`,
        'binary search over memory.max', cliff.middleBytes / mebi, predictionOf(plan, ids.cliff)),
    bandLeg('share of the touched model that a token reads again below the cliff', 'memory.stat workingset_refault_file', ratio(middleOf(views, conditions.below, refaultedPerToken), touched), predictionOf(plan, ids.reread)),
    bandLeg('memory pressure full below the cliff, ms in each second', 'memory.pressure', full, predictionOf(plan, ids.memoryFull)),
    bandLeg('times that the limit was met during the load below the cliff', 'memory.events max', middleOf(views, conditions.below, growth('memory.events.max')), predictionOf(plan, ids.limitHits)),
    bandLeg('major faults ÷ refaulted pages below the cliff', 'memory.stat pgmajfault', ratio(middleOf(views, conditions.below, growth('memory.stat.pgmajfault')), refaultsBelow), predictionOf(plan, ids.majorFaults))
  ])
}

/** The search of the run, step by step from its blocks; in words why it is none: a limit that does not follow from the steps before it, say. */
function searched ({ search, conditions: all }: StreamsPlan, views: readonly StreamsView[]): Cliff | string {
  if (search === undefined) return 'the plan has no search'
  const probes: Probe[] = []
  for (const { id } of all.filter(({ probe }) => probe !== undefined)) {
    const block = views.find(view => view.summary.condition === id)?.block
    if (block === undefined) return `its step ${id} was not made`
    const probe = probeOf(search, block.evidence)
    if (probe === undefined) return `its step ${id} has no limit or no count of refaults`
    const due = nextLimit(search, probes)
    if (probe.limitBytes !== due) return `its step ${id} had a limit of ${number(probe.limitBytes / mebi)} MiB, the steps before it lead to ${number(due / mebi)} MiB`
    probes.push(probe)
  }
  return cliffOf(search, probes)
}
