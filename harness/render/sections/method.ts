import { counted, formatBytes, formatCount, formatNumber, formatRatio, formatSeconds } from '../format.js'
import { conditionIds, metricDefinition, metricLabel, splitMetric } from '../labels.js'
import { html } from '../markup.js'
import type { Html } from '../markup.js'
import { isOpenLoop } from '../../analyse/plan-kind.js'
import type { Burst, Condition, Conversations, DrawnLength, Evidence, Manifest, OpenLoopPlan, Plan, Result, StreamsPlan, WorkloadClass } from '../../types.js'

type Entry = readonly [string, string]

function list (entries: readonly Entry[]): Html {
  return html`<dl>${entries.map(([term, text]) => html`<dt>${term}</dt><dd>${text}</dd>
`)}</dl>`
}

export function machineSection ({ manifest }: Pick<Result, 'manifest'>): Html {
  return html`<details class="printed"><summary>Machine, model and server</summary>${machineList(manifest)}</details>`
}

export function machineList (manifest: Manifest): Html {
  const { model, server, placement } = manifest
  const entries: Entry[] = [
    ['Machine', `${manifest.cpuModel}, ${manifest.cpus} CPUs, ${formatBytes(manifest.memoryBytes)} memory, virtualisation: ${manifest.virtualisation}`],
    ['System', `${manifest.kernel}, cgroup ${manifest.cgroup}, CPU governor ${manifest.governor ?? 'none seen'}${manifest.autogroup === true ? ', CPUs shared out between sessions (autogroup)' : ''}, Node ${manifest.node}, Weir ${manifest.weirVersion}${manifest.gitCommit === undefined ? '' : `, commit ${manifest.gitCommit}`}`],
    ...[model, ...manifest.otherModels ?? []].map((each): Entry => ['Model', `${each.name}, ${modelText(each)}`]),
    ['llama-server', `${server.version} from ${server.from}; ${counted(server.slots, 'slot')} of ${formatCount(server.slotContextTokens)} tokens, ${counted(server.threads, 'thread')}, batch ${formatCount(server.batchTokens)} tokens`],
    ['Placement', `llama-server on CPUs ${placement.serverCpus.join(', ')}; clients on CPUs ${placement.clientCpus.join(', ')}. ${placement.note}`],
    ['Missing here', manifest.missing.length === 0 ? 'nothing' : manifest.missing.join('; ')]
  ]
  return list(entries)
}

export function modelText ({ synthetic, seed, parameters, quantisation, bytes, sha256 }: Manifest['model']): string {
  return `${synthetic ? `synthetic weights (seed ${seed ?? 'unknown'}), ` : ''}${formatNumber(parameters / 1e6)} M parameters, ${quantisation}, ${formatBytes(bytes)}, sha256 ${sha256}`
}

export function methodSection (evidence: Evidence, result: Result): Html {
  const { plan } = evidence
  const entries: Entry[] = [
    ['Plan', `${result.experiment}, ${result.preset} preset, seed ${plan.seed}, written ${plan.createdAt} before the first block; sha256 ${result.planSha256}`],
    ['Blocks', `${plan.blocks.length} planned, ${result.blocks.length} run, ${orderText(plan)}. Each has a fresh llama-server; ${plan.design === 'pairs' ? 'the two of a pair' : 'all of a repeat'} get the same ${isOpenLoop(plan) ? 'arrivals and prompts' : 'prompt'}.${spareText(plan)}`],
    ...(isOpenLoop(plan) ? [...openLoopEntries(plan), ...secondLoops(evidence)] : streamsEntries(plan)),
    ['Test', `sign-flip test over pairs on log ratios, two-sided level ${plan.alpha}; the interval is the same test inverted, so that interval and p cannot disagree`],
    ['Outcomes', result.outcomes.map((outcome) => `${metricLabel(outcome.metric)} (${outcome.better} is better, matters from ×${formatNumber(outcome.matters)}${outcome.primary ? ', primary' : ''})`).join('; ')],
    ...(plan.effects.length === 0 ? [] : [['Effects', plan.effects.join('; ')] as const]),
    ['Predicted', `${formatCount(plan.predictions.length)} bands, in plan.json before the first block: the legs above are held against them`]
  ]
  return html`<details class="printed"><summary>Method</summary>${list(entries)}</details>`
}

/** In how many blocks of each condition the second closed loop was made. */
function secondLoops ({ plan, blocks }: Evidence): Entry[] {
  if (!isOpenLoop(plan) || plan.workload.capacityAgain !== true) return []
  const told = plan.conditions.map(({ id }) => {
    const own = blocks.filter(({ evidence }) => evidence.plan.condition === id)
    return `${id} ${own.filter(({ evidence: { closedLoops = [] } }) => closedLoops.length > 1).length} of ${own.length} blocks`
  })
  return [['Second closed loop', `${told.join(', ')}; two blocks are compared by the loops that both have`]]
}

function spareText (plan: Plan): string {
  const { spare } = isOpenLoop(plan) ? plan : { spare: undefined }
  return spare === undefined ? '' : ` A pair is left out when CPU time per token in its blocks' closed loops differs by more than ${formatRatio(spare.machineWithin)}; up to ${spare.blocks.length / 2} spare pairs replace such.`
}

function orderText ({ design, blocks, seed }: Plan): string {
  if (design === 'pairs') return `in this order: ${blocks.map((block) => block.condition === 'before' ? 'b' : 'a').join('')} (b before, a after)`
  return design === 'factorial' ? 'in the order of a balanced Latin square (each condition follows each other one equally often)' : `in random order within each repeat (seed ${seed})`
}

function openLoopEntries ({ workload, calibration, conditions }: OpenLoopPlan): Entry[] {
  const limits = Object.entries(workload.ttftLimitMs).map(([cls, ms]) => `${cls} ${formatNumber(ms)} ms`).join(', ')
  return [
    loadEntry(workload),
    ['Capacity', `closed loop of ${workload.closedLoopClients} clients for ${formatSeconds(workload.capacitySeconds)} or more ${workload.capacityAgain === true ? 'before each load, and again after it where llama-server is idle within a third of the window, 3 s at least: their mean' : 'before each load'}`],
    ['Calls', workload.classes.map((each) => `${each.name}: ${lengthText(each.promptWords)} words in, ${lengthText(each.maxTokens)} tokens out, share ${formatNumber(each.share)}${ofWhomText(each)}`).join('; ')],
    ...(workload.burst === undefined ? [] : [burstEntry(workload.burst)]),
    ...conditions.flatMap(retryEntries),
    ['Limit', `time to first token (scheduled): ${limits}; unloaded it is ${formatNumber(calibration.unloadedTtftMs)} ms`]
  ]
}

function loadEntry (workload: OpenLoopPlan['workload']): Entry {
  const { conversations, workers, ratePerSecond, rampSeconds, windowSeconds, drainSeconds } = workload
  if (conversations !== undefined) return conversationsEntry(conversations, workload)
  const what = workers === undefined ? `open loop, Poisson, ${formatNumber(ratePerSecond)} requests/s` : `closed loop of ${workers} clients through the gateway, each of which asks again when it was answered,`
  return ['Load', `${what} for ${formatSeconds(rampSeconds + windowSeconds)}, the first ${formatSeconds(rampSeconds)} not judged; unanswered calls are given ${formatSeconds(drainSeconds)} after the last send`]
}

function conversationsEntry ({ count, turns, systemWords, firstWords, turnWords, answerTokens, thinkSeconds, thinkSpread, related }: Conversations, { rampSeconds, windowSeconds }: OpenLoopPlan['workload']): Entry {
  const what = related ? 'each call with the whole history' : 'each call a prompt of its own, as long as the history would be'
  return ['Load', `${count} clients at a time that talk through the gateway for ${formatSeconds(rampSeconds + windowSeconds)}, the first ${formatSeconds(rampSeconds)} not judged; ${what}: ${systemWords} words in common, ${firstWords} to begin with, ${turnWords} more and ${answerTokens} tokens of answer each turn, ${turns} turns, ${formatSeconds(thinkSeconds)} ± ${formatNumber(100 * thinkSpread)} % between an answer and the next turn`]
}

function lengthText (length: number | DrawnLength): string {
  return typeof length === 'number' ? String(length) : `${length.from} to ${length.to} (lognormal, median ${formatNumber(length.median)}, σ ${formatNumber(length.sigma)})`
}

function ofWhomText ({ caller, leave }: WorkloadClass): string {
  return (caller === undefined ? '' : `, by ${caller}`) + (leave === undefined ? '' : `, ${formatNumber(100 * leave.share)} % given up ${formatNumber(leave.afterMs)} ms after ${leave.from === 'sent' ? 'they were sent' : 'their headers came'}`)
}

function burstEntry ({ ratePerSecond, fromSeconds, seconds, shares }: Burst): Entry {
  const who = Object.entries(shares).filter(([, share]) => share > 0).map(([name]) => name).join(', ')
  return ['Burst', `${formatNumber(ratePerSecond)} requests/s more (${who}) for ${formatSeconds(seconds)}, ${formatSeconds(fromSeconds)} after the start of the load`]
}

function retryEntries ({ id, retry }: Condition): Entry[] {
  if (retry === undefined) return []
  const when = retry.wait === 'told' ? 'when Retry-After says' : `after ${formatSeconds(retry.wait)}`
  return [['Retries', `${id}: a refused client comes back ${when}, ${retry.tries} tries in all, within ${formatSeconds(retry.patienceSeconds)}; times count from the first one`]]
}

function streamsEntries ({ workload, calibration, conditions }: StreamsPlan): Entry[] {
  const changed = conditions.flatMap(({ id, workload: own }) => own === undefined ? [] : [`${id}: ${Object.entries(own).map(([name, value]) => `${name} ${value}`).join(', ')}`])
  return [
    ['Load', `closed loop of ${workload.clients} streams straight to llama-server, ${workload.calls} calls each, one after the other${workload.atLeastSeconds === undefined ? '' : `, and more until ${workload.atLeastSeconds} s have passed`}: one prompt of ${workload.promptWords} words, ${workload.predictTokens} tokens out, ${workload.cachePrompt === true ? 'what a slot still holds of it is reused' : 'nothing reused'}; ${workload.warmupCalls === 0 ? 'no warm-up' : `${workload.warmupCalls} call before it as warm-up, not judged`}`],
    ...(changed.length === 0 ? [] : [['Changed by conditions', changed.join('; ')] as const]),
    ['Undisturbed', calibration.servers.map((server) => `${server.model} with ${server.threads} threads: ${formatNumber(server.tokensPerSecond)} tokens/s, median gap ${formatNumber(server.gapMs)} ms, TTFT ${formatNumber(server.ttftMs)} ms, ${formatNumber(server.cpusUsed)} CPUs at once`).join('; ')]
  ]
}

export function definitionsSection (result: Result): Html {
  const metrics = [...new Set([...result.cells, ...result.contrasts].map(({ metric }) => splitMetric(metric).base))]
  const entries = metrics.flatMap((metric): Entry[] => {
    const definition = metricDefinition(metric)
    return definition === undefined ? [] : [[metricLabel(metric), definition]]
  })
  return html`<details><summary>Definitions</summary>${list([
    ...entries,
    ['percentile', 'Nearest rank over all calls of the condition; not given when too few independent calls support it.'],
    ['block', 'One fresh llama-server with its capacity loop, its load and its drain. The unit of the statistics.'],
    ['verdict', 'better or worse: the interval lies beyond 1 on that side and the effect is not too small to matter; equivalent: the whole interval lies inside the band that does not matter; cannot say: anything else.']
  ])}</details>`
}

/** What was read back before a block counted, the command line of the server, and the warnings of each block. */
export function stateSection (evidence: Evidence): Html | undefined {
  if (evidence.blocks.length === 0) return undefined
  const shown = conditionIds(evidence.plan).flatMap((id) => evidence.blocks.filter((block) => block.evidence.plan.condition === id).slice(0, 1))
  const warned = evidence.blocks.filter((block) => block.evidence.warnings.length > 0)
  return html`<details><summary>State that was read back</summary>
${shown.map(({ evidence: block }) => html`<h3>block ${block.plan.index}, ${block.plan.condition}</h3>
<p><code>${block.serverCommandLine.join(' ')}</code></p>${list(Object.entries(block.readBack))}`)}
${warned.map(({ evidence: block }) => html`<p><b>block ${block.plan.index}, ${block.plan.condition}:</b> ${block.warnings.join('; ')}</p>`)}
</details>`
}
