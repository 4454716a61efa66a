import type { Ask } from './schedule-events.js'
import { Traffic } from './testing-traffic.js'
import type { SimulatedCall, TrafficOptions } from './testing-traffic.js'

/** A call's own lengths, and what the schedule is told of them. */
export interface SimulatedLengths {
  readonly promptTokens: number
  readonly outputTokens: number
  readonly ask: Ask
}

export interface BatchedOptions extends TrafficOptions {
  /** Of every call, unless `lengthsOf` draws its own; then nothing is told of them. */
  readonly promptTokens: number
  readonly outputTokens: number
  readonly lengthsOf?: (random: () => number) => SimulatedLengths
  readonly prefillMsPerToken: number
  /** One step of this many decoding slots. */
  readonly decodeStepMs: (slots: number) => number
  /** A step lasts up to this share longer, at random: the machine is not quiet. */
  readonly noise: number
}

interface Slot { readonly call: number, readonly promptTokens: number, readonly outputTokens: number, promptLeft: number, tokens: number, firstByteAtMs: number }

/**
 * A server that works as llama-server does (its facts L6, L12): steps of one shared batch, in which each decoding slot gets a token and all
 * prompts that wait are prefilled; so calls that start together end together.
 */
export function simulateBatched (options: BatchedOptions): SimulatedCall[] {
  let slots: Slot[] = []
  let nowMs = 0
  const lengths = new Map<number, SimulatedLengths>()
  const traffic = new Traffic(options, call => {
    const { promptTokens, outputTokens } = lengths.get(call) ?? options
    slots.push({ call, promptTokens, outputTokens, promptLeft: promptTokens, tokens: 0, firstByteAtMs: NaN })
  })

  function arriveUntil (untilMs: number): void {
    while (traffic.nextAtMs <= untilMs) {
      const own = options.lengthsOf?.(traffic.random)
      if (own !== undefined) lengths.set(traffic.calls.length, own)
      traffic.arrive(1, own?.ask)
    }
  }

  while (traffic.nextAtMs < Infinity || slots.length > 0) {
    if (slots.length === 0) {
      nowMs = traffic.nextAtMs
      arriveUntil(nowMs)
      continue
    }
    const batch = [...slots]
    const prompts = batch.reduce((sum, slot) => sum + slot.promptLeft, 0)
    const decoding = batch.filter(slot => slot.promptLeft === 0).length
    const stepMs = (prompts * options.prefillMsPerToken + (decoding === 0 ? 0 : options.decodeStepMs(decoding))) * (1 + options.noise * traffic.random())
    arriveUntil(nowMs + stepMs)
    nowMs += stepMs
    for (const slot of batch) {
      slot.promptLeft = 0
      slot.tokens++
      if (slot.tokens === 1) slot.firstByteAtMs = nowMs
    }
    const over = batch.filter(slot => slot.tokens === slot.outputTokens)
    slots = slots.filter(slot => !over.includes(slot))
    for (const { call, firstByteAtMs, promptTokens, outputTokens } of over) {
      const account = lengths.has(call) ? { evaluatedTokens: promptTokens, cachedTokens: 0, outputTokens } : undefined
      traffic.over(call, firstByteAtMs, nowMs, account)
    }
  }
  return traffic.calls
}
