import { Type, type Static } from '@sinclair/typebox'
import type { Calibration } from './open-loop-plan.js'
import type { Preset } from './presets.js'
import type { Burst, Conversations, Retry, WorkloadClass } from '../types.js'
import { parseRate } from './workload.js'

const closed = { additionalProperties: false }
const above0 = Type.Number({ exclusiveMinimum: 0 })
const share = Type.Number({ minimum: 0, maximum: 1 })
const text = Type.String({ minLength: 1 })
const perPreset = (seconds: typeof above0 | ReturnType<typeof Type.Integer>) => Type.Object({ smoke: seconds, laptop: seconds, overnight: seconds }, closed)

const length = Type.Union([
  Type.Integer({ minimum: 1, maximum: 4096 }),
  Type.Object({ median: above0, sigma: Type.Number({ minimum: 0 }), from: Type.Integer({ minimum: 1 }), to: Type.Integer({ minimum: 1, maximum: 4096 }) }, closed)
], { description: 'fixed, or lognormal between two bounds' })

const classSpec = Type.Object({
  name: Type.String({ pattern: '^[a-z][a-z0-9-]*$' }),
  promptWords: length,
  maxTokens: length,
  share: Type.Number({ minimum: 0, description: 'in proportion to the sum; 0: only in the burst' }),
  caller: Type.Optional(text),
  headers: Type.Optional(Type.Record(text, Type.String())),
  interference: Type.Optional(Type.Boolean({ description: 'its calls are what the policy is about: in no closed loop and no calibration, held to the longest limit of the others, left out by --no-setting' })),
  leave: Type.Optional(Type.Object({ share, shareOfUnloadedTtft: above0, from: Type.Optional(Type.Literal('sent')) }, { ...closed, description: 'so many are given up by their clients, so long after the headers of their answer came, or after they were sent; nobody by --no-setting' })),
  prompts: Type.Optional(Type.Object({ pool: Type.Integer({ minimum: 1, maximum: 100_000 }), zipf: Type.Number({ minimum: 0 }) }, { ...closed, description: 'asked again: the k-th of the pool with a weight of k^-zipf; absent: each call its own' })),
  together: Type.Optional(Type.Object({ calls: Type.Integer({ minimum: 1, maximum: 1_000 }), prompt: Type.Union([Type.Literal('one'), Type.Literal('each')]) }, { ...closed, description: 'so many at each arrival, 4 ms apart, with one prompt or each its own; rate counts arrivals' })),
  cachePrompt: Type.Optional(Type.Literal(true, { description: 'its calls may reuse what a slot holds; absent: cache_prompt false' })),
  embedding: Type.Optional(Type.Literal(true, { description: 'its calls ask for embeddings; maxTokens must be 1' }))
}, closed)

const grant = Type.Object({
  weight: Type.Optional(above0),
  bestPriority: Type.Optional(Type.Integer({ minimum: 0, maximum: 9 })),
  usualPriority: Type.Optional(Type.Integer({ minimum: 0, maximum: 9 })),
  maxPlaces: Type.Optional(Type.Integer({ minimum: 1 }))
}, closed)

/** What a load says beside its rate; `traffic` of a comparison. */
export const trafficSchema = Type.Object({
  classes: Type.Optional(Type.Array(classSpec, { minItems: 1, description: 'instead of mix' })),
  burst: Type.Optional(Type.Object({
    rate: text,
    fromSeconds: Type.Number({ minimum: 0, description: 'after the start of the load, its ramp included' }),
    seconds: Type.Optional(above0),
    shares: Type.Optional(Type.Record(text, Type.Number({ minimum: 0 }), { description: 'of the classes; absent: as outside it' }))
  }, { ...closed, description: 'arrivals beside those of rate; without seconds: until the end. Left out by --no-setting' })),
  conversations: Type.Optional(Type.Object({
    perSlot: above0,
    turns: Type.Integer({ minimum: 1, maximum: 1000 }),
    systemWords: Type.Optional(Type.Integer({ minimum: 0 })),
    firstWords: Type.Integer({ minimum: 1 }),
    turnWords: Type.Integer({ minimum: 1 }),
    answerTokens: Type.Integer({ minimum: 1 }),
    thinkSeconds: Type.Number({ minimum: 0 }),
    thinkSpread: Type.Number({ minimum: 0, maximum: 1 })
  }, { ...closed, description: 'the load, in place of arrivals; --no-setting: unrelated prompts of the same lengths' })),
  workers: Type.Optional(Type.Object({ perSlot: above0 }, { ...closed, description: 'the load, in place of arrivals: clients that ask again as soon as they are answered' })),
  grants: Type.Optional(Type.Record(text, grant, { description: 'of the callers’ API keys' })),
  limitMultiple: Type.Optional(above0),
  rampSeconds: Type.Optional(above0),
  windowSeconds: Type.Optional(perPreset(above0))
}, closed)

/** One side of a comparison whose sides differ in more than a policy that is on or off. */
export const sideSchema = Type.Object({
  title: text,
  policies: Type.Optional(Type.Record(text, Type.Record(text, Type.Unknown()), { description: 'by name, with options beside those that the harness gives' })),
  tellsLimit: Type.Optional(Type.Boolean()),
  retry: Type.Optional(Type.Object({
    wait: Type.Union([Type.Literal('told'), Type.Number({ minimum: 0 })]),
    tries: Type.Integer({ minimum: 2 }),
    patienceSeconds: above0
  }, closed))
}, closed)

export const repeatsSchema = perPreset(Type.Integer({ minimum: 1 }))

export type ClassSpec = Static<typeof classSpec>
export type TrafficSpec = Static<typeof trafficSchema>
export type SideSpec = Static<typeof sideSchema> & { readonly retry?: Retry }

/** Those whose calls are in closed loops and the calibration. */
export function usualClasses<C extends Pick<WorkloadClass, 'interference'>> (classes: readonly C[]): C[] {
  return classes.filter(({ interference }) => interference !== true)
}

/** Without calls that interfere, and nobody leaves. */
export function quietClasses (specs: readonly ClassSpec[]): ClassSpec[] {
  return usualClasses(specs).map(({ leave, ...rest }) => rest)
}

export function hasInterference ({ classes = [], burst, conversations }: TrafficSpec): boolean {
  return burst !== undefined || conversations !== undefined || classes.some(({ interference, leave }) => interference === true || leave !== undefined)
}

/** The classes of a plan: shares sum to 1, times follow from the calibration. */
export function classesOf (specs: readonly ClassSpec[], { unloadedTtftMs }: Pick<Calibration, 'unloadedTtftMs'>): WorkloadClass[] {
  const sum = specs.reduce((total, { share }) => total + share, 0)
  return specs.map(({ leave, share, ...rest }) => ({
    ...rest,
    share: share / sum,
    ...(leave === undefined ? {} : { leave: { share: leave.share, afterMs: Math.round(leave.shareOfUnloadedTtft * (unloadedTtftMs[rest.name] ?? NaN)), ...(leave.from === undefined ? {} : { from: leave.from }) } })
  }))
}

export function burstOf ({ rate, fromSeconds, seconds, shares }: NonNullable<TrafficSpec['burst']>, classes: readonly WorkloadClass[], loadSeconds: number, capacityPerSecond: number): Burst {
  return {
    ratePerSecond: ratePerSecond(rate, capacityPerSecond),
    fromSeconds,
    seconds: seconds ?? Math.max(0.1, Math.round((loadSeconds - fromSeconds) * 10) / 10),
    shares: shares ?? Object.fromEntries(classes.map(({ name, share }) => [name, share]))
  }
}

function ratePerSecond (text: string, capacityPerSecond: number): number {
  const rate = parseRate(text)
  return 'perSecond' in rate ? rate.perSecond : Number((rate.timesCapacity * capacityPerSecond).toFixed(3))
}

/** Of something that there is one of, or more, for each slot. */
export function countFor (perSlot: number, slots: number): number {
  return Math.max(1, Math.round(perSlot * slots))
}

/** @param related false: prompts that have nothing in common */
export function conversationsOf ({ perSlot, systemWords = 0, ...rest }: NonNullable<TrafficSpec['conversations']>, slots: number, related: boolean): Conversations {
  return { ...rest, systemWords, count: countFor(perSlot, slots), related }
}

export function windowSecondsOf ({ windowSeconds }: TrafficSpec, preset: Preset): number | undefined {
  return windowSeconds?.[preset.name]
}

/** Its clients have no rate of their own: they offer as much as is answered. */
export function asksWhenAnswered ({ workers, conversations }: TrafficSpec = {}): boolean {
  return (workers ?? conversations) !== undefined
}

/** @returns what is wrong with it, and what to do */
export function faultIn ({ classes, burst, conversations, workers, grants = {} }: TrafficSpec, sides: ReadonlyArray<Pick<SideSpec, 'retry'> | undefined> = []): string | undefined {
  if (burst !== undefined && conversations !== undefined) return 'traffic has conversations and a burst; conversations are the whole load, so leave one of them out'
  if (workers !== undefined && (burst ?? conversations ?? classes?.find(({ together }) => together !== undefined)) !== undefined) return 'traffic has workers and also a burst, conversations or calls that come together; workers are the whole load, so leave the others out'
  if ((workers ?? conversations) !== undefined && sides.some(side => side?.retry !== undefined)) return 'a side has retry and traffic has workers or conversations; only arrivals are tried again, so leave one of them out'
  if (burst !== undefined) parseRate(burst.rate, 'traffic.burst.rate')
  if (classes === undefined) return burst?.shares === undefined && Object.keys(grants).length === 0 ? undefined : 'traffic has shares or grants, but no classes that they could be of'
  const names = classes.map(({ name }) => name)
  const twice = names.find((name, index) => names.indexOf(name) < index)
  if (twice !== undefined) return `traffic.classes has ${twice} twice; give each class a name of its own`
  if (!classes.some(({ share }) => share > 0)) return 'traffic.classes: no class has a share above 0'
  if (!usualClasses(classes).some(({ share }) => share > 0)) return 'traffic.classes: every class with a share is interference; there must be calls that it interferes with'
  const leaver = classes.find(({ interference, leave }) => interference === true && leave !== undefined)
  if (leaver !== undefined) return `traffic.classes: ${leaver.name} is interference and its clients leave; when they would is a share of an unloaded TTFT, and calls that are interference have none`
  const generating = classes.find(({ embedding, maxTokens }) => embedding === true && maxTokens !== 1)
  if (generating !== undefined) return `traffic.classes: ${generating.name} asks for embeddings, which have no tokens of their own; its maxTokens is ${JSON.stringify(generating.maxTokens)}, give 1`
  const unknown = Object.keys(burst?.shares ?? {}).find(name => !names.includes(name))
  if (unknown !== undefined) return `traffic.burst.shares.${unknown}: no class has this name; there are ${names.join(', ')}`
  const backwards = classes.find(({ promptWords, maxTokens }) => [promptWords, maxTokens].some(each => typeof each === 'object' && each.from > each.to))
  if (backwards !== undefined) return `traffic.classes: ${backwards.name} has a length with from above to`
  const callers = classes.map(({ caller }) => caller)
  if (callers.some(caller => caller !== undefined) && callers.includes(undefined)) return 'traffic.classes: some classes have a caller and some have none; with keys configured the gateway answers no call without one'
  const nobody = Object.keys(grants).find(name => !callers.includes(name))
  return nobody === undefined ? undefined : `traffic.grants.${nobody}: no class has this caller; there are ${[...new Set(callers)].join(', ')}`
}
