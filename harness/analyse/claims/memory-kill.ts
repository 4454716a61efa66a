import type { Claim, Leg, StreamsPlan } from '../../types.js'
import { middleOf } from '../contention.js'
import { ofCondition } from '../gate.js'
import { ratio } from '../ratio.js'
import { endKindOf, namesServer } from '../server-end.js'
import type { StreamsView } from '../streams-summary.js'
import { allOf, bandLeg, predictionOf, withStatus } from './leg.js'
import { answeredShare, atEnd, largestOf, smallestOf } from './memory-figures.js'
import { memoryLimitConditions as conditions, memoryLimitIds as ids, workingSetOf } from './memory-limit-predictions.js'
import { LOAD } from './sources.js'

const explanation = 'Weights that were copied (--no-mmap) or locked (--mlock) cannot be dropped. When the group’s limit is below them, the kernel’s OOM killer ends ' +
  'the process that holds them, with SIGKILL and a count in memory.events; a mapped model at the same limit is only slow. Before it was ready there is no server to ask; in the middle of the load its clients see their ' +
  'streams cut and further calls refused. A crash has another signal and no count.'

const killed = [...conditions.killedAtStart, conditions.killedUnderLoad]

/** Memory that cannot be dropped is killed at a limit at which a mapped model only gets slow. */
export function memoryKill (plan: StreamsPlan, views: readonly StreamsView[]): Claim {
  const planned = plan.workload.clients * plan.workload.calls
  const legs = { application: applicationLeg(plan, views, planned), os: kernelLogLeg(plan, views), control: controlLeg(plan, views), mechanism: mechanismLeg(plan, views) }
  return withStatus({
    id: 'memory-limit-kill',
    statement: 'At a limit at which a mapped model only gets slow, a copied or locked one is killed by the kernel, and the harness tells that from a crash',
    predicted: predictionOf(plan, ids.anonymous)?.statement ?? 'nothing was predicted before the run',
    ...legs,
    explanation
  })
}

function applicationLeg (plan: StreamsPlan, views: readonly StreamsView[], planned: number): Leg {
  const source = LOAD
  return allOf([
    bandLeg('share of the calls that were answered by a server killed at its start', source, largestOf(views, conditions.killedAtStart, answeredShare(planned)), predictionOf(plan, ids.answeredKilled)),
    bandLeg('by one whose limit dropped under the load', source, middleOf(views, conditions.killedUnderLoad, answeredShare(planned)), predictionOf(plan, ids.answeredDropped)),
    bandLeg('by the mapped one at the same limit', source, smallestOf(views, [conditions.below], answeredShare(planned)), predictionOf(plan, ids.answeredMapped))
  ])
}

/** Of blocks in which a server ended, those whose kernel log names it. */
function kernelLogLeg (plan: StreamsPlan, views: readonly StreamsView[]): Leg {
  const ended = killed.flatMap(id => ofCondition(views, id))
  const logs = ended.map(({ block }) => block.evidence.serverEnd?.kernelLog)
  const readable = ended.length > 0 && logs.every(log => log !== undefined)
  return bandLeg('share of the killed blocks in which the kernel’s log names llama-server and its group', 'dmesg',
    readable ? logs.filter(log => namesServer(log ?? '')).length / logs.length : null, predictionOf(plan, ids.kernelLog))
}

function controlLeg (plan: StreamsPlan, views: readonly StreamsView[]): Leg {
  const ended = killed.flatMap(id => ofCondition(views, id))
  const told = ended.filter(({ block }) => endKindOf(block.evidence) === 'out of memory').length
  return allOf([
    bandLeg('kills where the model is mapped at the same limit, or not mapped above the cliff', 'memory.events oom_kill', largestOf(views, [conditions.below, ...conditions.notKilled], atEnd('memory.events.oom_kill')), predictionOf(plan, ids.otherKills)),
    bandLeg('share of the killed blocks whose end is told as out of memory (SIGKILL and a count of its group, not a crash)', 'exit of the process and memory.events', ended.length === 0 ? null : told / ended.length, predictionOf(plan, ids.endsOutOfMemory))
  ])
}

function mechanismLeg (plan: StreamsPlan, views: readonly StreamsView[]): Leg {
  const server = plan.calibration.servers.find(server => server.touched !== undefined)
  const set = server === undefined ? undefined : workingSetOf(server)
  const most = largestOf(views, killed, atEnd('memory.events.oom_kill'))
  const least = smallestOf(views, killed, atEnd('memory.events.oom_kill'))
  return allOf([
    bandLeg('anonymous memory of the model that is not mapped ÷ (that of the unlimited run + the model)', 'memory.stat anon', set === undefined ? null : ratio(middleOf(views, conditions.anonymous, atEnd('memory.stat.anon')), set.anonBytes + set.modelBytes), predictionOf(plan, ids.anonymous)),
    bandLeg('kills in each of these blocks, most', 'memory.events oom_kill', most, predictionOf(plan, ids.kills)),
    bandLeg('least', 'memory.events oom_kill', least, predictionOf(plan, ids.kills))
  ])
}
