import type { Evidence } from '../../types.js'
import { isOpenLoop } from '../plan-kind.js'

/** Something that two runs have in common or not, as text. */
export interface Key {
  /** Where it stands: `manifest.kernel`, `plan.preset`, `flags (before)`. */
  readonly key: string
  readonly value: string
}

export interface Difference {
  readonly key: string
  readonly a: string
  readonly b: string
}

export interface Likeness {
  /** Any of these makes the figures of two runs something else than before and after of one change. */
  readonly matter: readonly Difference[]
  /** Shown, and no obstacle: what a comparison over time is about (Weir's version and commit), the seed, and what each run calibrates for itself. */
  readonly mayDiffer: readonly Difference[]
}

const ABSENT = 'not recorded'
/** The kernel keeps a little more or less of the same memory for itself with each boot. */
const sameMemory = 0.01
/** Offered load and limits are multiples of what a calibration measured: rounding and its noise are no different experiment. */
const sameMultiple = 0.02
const sameLimitMultiple = 0.1

/** Machine and model: what runs of one study must share, whatever they ask. */
export function machineKeys ({ manifest }: Pick<Evidence, 'manifest'>): Key[] {
  const { server, model, placement } = manifest
  return [
    { key: 'manifest.cpuModel', value: manifest.cpuModel },
    { key: 'manifest.cpus', value: String(manifest.cpus) },
    { key: 'manifest.memoryBytes', value: String(manifest.memoryBytes) },
    { key: 'manifest.kernel', value: manifest.kernel },
    { key: 'manifest.virtualisation', value: manifest.virtualisation },
    { key: 'manifest.cgroup', value: manifest.cgroup },
    { key: 'manifest.autogroup', value: String(manifest.autogroup ?? ABSENT) },
    { key: 'manifest.governor', value: manifest.governor ?? ABSENT },
    { key: 'manifest.server.version', value: server.version },
    { key: 'manifest.model.sha256', value: `${model.sha256} (${model.name})` },
    { key: 'manifest.otherModels', value: (manifest.otherModels ?? []).map(each => `${each.sha256} (${each.name})`).sort().join(', ') || 'none' },
    ...(['slots', 'threads', 'batchTokens', 'slotContextTokens'] as const).map(name => ({ key: `manifest.server.${name}`, value: String(server[name]) })),
    { key: 'manifest.placement', value: `server on ${placement.serverCpus.join(',')}, clients on ${placement.clientCpus.join(',')}` }
  ]
}

function planKeys ({ plan }: Evidence): Key[] {
  return [
    { key: 'plan.experiment', value: plan.experiment },
    { key: 'plan.preset', value: plan.preset },
    { key: 'plan.design', value: plan.design },
    { key: 'plan.quiet', value: String(plan.quiet) },
    { key: 'plan.alpha', value: String(plan.alpha) },
    { key: 'plan.conditions', value: plan.conditions.map(({ id }) => id).join(', ') },
    ...plan.conditions.map(({ id, title, factors, baseline, probe, ...made }) => ({ key: `plan.conditions.${id}`, value: JSON.stringify(made) })),
    ...workloadKeys(plan.workload)
  ]
}

/** Without what each run's calibration decides. */
function workloadKeys (workload: Evidence['plan']['workload']): Key[] {
  if (workload.kind === 'open-loop') {
    const { kind, classes, closedLoopClients, burst, conversations, workers, capacityCalls, capacityAgain } = workload
    const spec = classes.map(({ leave, ...rest }) => ({ ...rest, ...(leave === undefined ? {} : { leave: leave.share }) }))
    return [
      { key: 'plan.workload.kind', value: kind },
      { key: 'plan.workload.classes', value: JSON.stringify(spec) },
      { key: 'plan.workload.closedLoopClients', value: String(closedLoopClients) },
      { key: 'plan.workload.capacityCalls', value: String(capacityCalls ?? 'by time') },
      { key: 'plan.workload.capacityAgain', value: String(capacityAgain ?? false) },
      { key: 'plan.workload.burst', value: burst === undefined ? 'none' : JSON.stringify({ fromSeconds: burst.fromSeconds, shares: burst.shares }) },
      { key: 'plan.workload.conversations', value: JSON.stringify(conversations ?? 'none') },
      { key: 'plan.workload.workers', value: String(workers ?? 'none') }
    ]
  }
  return Object.entries(workload).map(([name, value]) => ({ key: `plan.workload.${name}`, value: String(value) }))
}

/** Flags of llama-server by condition, and ggml's CPU variant: without paths, port and key. */
function flagKeys ({ blocks, plan }: Evidence): Key[] {
  return plan.conditions.flatMap(({ id }) => {
    const line = blocks.find(({ evidence }) => evidence.plan.condition === id && evidence.serverCommandLine.length > 0)?.evidence.serverCommandLine
    return line === undefined ? [] : [{ key: `flags (${id})`, value: flagsOf(line).join(' ') }]
  })
}

const OF_THE_RUN = new Set(['-m', '--model', '--port', '--host', '--api-key'])

export function flagsOf (commandLine: readonly string[]): string[] {
  const variant = commandLine.flatMap(word => /^GGML_BACKEND_PATH=.*?([^/]+)\.so$/.exec(word)?.[1] ?? [])
  const program = commandLine.findLastIndex(word => /(^|\/)llama-server$/.test(word))
  const flags: string[] = []
  for (let i = program + 1; i < commandLine.length; i++) {
    const word = commandLine[i] ?? ''
    if (OF_THE_RUN.has(word)) i++
    else flags.push(word)
  }
  return [...variant, ...flags]
}

function freeKeys ({ plan, manifest }: Evidence): Key[] {
  const calibrated = isOpenLoop(plan)
    ? [
        ['plan.workload.ratePerSecond', plan.workload.ratePerSecond], ['plan.workload.windowSeconds', plan.workload.windowSeconds],
        ['plan.workload.ttftLimitMs', JSON.stringify(plan.workload.ttftLimitMs)], ['plan.calibration.capacityPerSecond', plan.calibration.capacityPerSecond]
      ] as const
    : plan.calibration.servers.map(({ model, threads, tokensPerSecond }) => [`plan.calibration.${model}, ${threads} threads, tokens/s`, tokensPerSecond] as const)
  return [
    { key: 'manifest.weirVersion', value: manifest.weirVersion },
    { key: 'manifest.gitCommit', value: manifest.gitCommit ?? ABSENT },
    { key: 'manifest.node', value: manifest.node },
    { key: 'manifest.server.from', value: manifest.server.from },
    { key: 'plan.createdAt', value: plan.createdAt },
    { key: 'plan.seed', value: String(plan.seed) },
    { key: 'plan.blocks', value: String(plan.blocks.length) },
    ...calibrated.map(([key, value]) => ({ key, value: String(value) }))
  ]
}

export function likenessOf (a: Evidence, b: Evidence): Likeness {
  const strict = (run: Evidence): Key[] => [...machineKeys(run), ...planKeys(run)]
  // A condition whose server never started has no flags, and one that the other run lacks is told by its plan.
  const flags = differences(flagKeys(a), flagKeys(b)).filter(each => each.a !== ABSENT && each.b !== ABSENT)
  return {
    matter: [...differences(strict(a), strict(b)), ...flags, ...loadDifferences(a, b)],
    mayDiffer: differences(freeKeys(a), freeKeys(b))
  }
}

export function differences (a: readonly Key[], b: readonly Key[]): Difference[] {
  const keys = [...new Set([...a, ...b].map(({ key }) => key))]
  const valueIn = (list: readonly Key[], key: string): string => list.find(each => each.key === key)?.value ?? ABSENT
  return keys.map(key => ({ key, a: valueIn(a, key), b: valueIn(b, key) })).filter(each => each.a !== each.b && !(each.key === 'manifest.memoryBytes' && within(Number(each.a), Number(each.b), sameMemory)))
}

/** `2x` offers another rate in each run, `3` requests/s another multiple: a different load is one that differs in both. The same of the limit. */
function loadDifferences (a: Evidence, b: Evidence): Difference[] {
  if (!isOpenLoop(a.plan) || !isOpenLoop(b.plan)) return []
  const [offeredA, offeredB] = [a.plan, b.plan].map(({ workload, calibration }) => ({ own: workload.ratePerSecond, multiple: workload.ratePerSecond / calibration.capacityPerSecond }))
  const [limitA, limitB] = [a.plan, b.plan].map(({ workload, calibration }) => {
    const own = workload.ttftLimitMs[workload.classes[0]?.name ?? ''] ?? NaN
    return { own, multiple: own / calibration.unloadedTtftMs }
  })
  return [
    ...apart('offered load', offeredA, offeredB, sameMultiple, ({ own, multiple }) => `${own} requests/s, ${multiple.toFixed(2)} × capacity`),
    ...apart('TTFT limit', limitA, limitB, sameLimitMultiple, ({ own, multiple }) => `${own} ms, ${multiple.toFixed(1)} × unloaded`)
  ]
}

interface Measured { readonly own: number, readonly multiple: number }

function apart (key: string, a: Measured | undefined, b: Measured | undefined, share: number, text: (of: Measured) => string): Difference[] {
  if (a === undefined || b === undefined || within(a.own, b.own, share) || within(a.multiple, b.multiple, share)) return []
  return [{ key, a: text(a), b: text(b) }]
}

function within (a: number, b: number, share: number): boolean {
  return Math.abs(a - b) <= share * Math.max(Math.abs(a), Math.abs(b))
}
