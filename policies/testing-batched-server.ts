import { Traffic } from './testing-traffic.js'
import type { SimulatedCall, TrafficOptions } from './testing-traffic.js'

export interface BatchedOptions extends TrafficOptions {
  readonly promptTokens: number
  readonly outputTokens: number
  readonly prefillMsPerToken: number
  /** One step of this many decoding slots. */
  readonly decodeStepMs: (slots: number) => number
  /** A step lasts up to this share longer, at random: the machine is not quiet. */
  readonly noise: number
}

interface Slot { readonly call: number, promptLeft: number, tokens: number, firstByteAtMs: number }

/**
 * A server that works as llama-server does (its facts L6, L12): steps of one shared batch, in which each decoding slot gets a token and all
 * prompts that wait are prefilled; so calls that start together end together.
 */
export function simulateBatched (options: BatchedOptions): SimulatedCall[] {
  let slots: Slot[] = []
  let nowMs = 0
  const traffic = new Traffic(options, call => { slots.push({ call, promptLeft: options.promptTokens, tokens: 0, firstByteAtMs: NaN }) })

  function arriveUntil (untilMs: number): void {
    while (traffic.nextAtMs <= untilMs) traffic.arrive()
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
    const over = batch.filter(slot => slot.tokens === options.outputTokens)
    slots = slots.filter(slot => !over.includes(slot))
    for (const { call, firstByteAtMs } of over) traffic.over(call, firstByteAtMs, nowMs)
  }
  return traffic.calls
}
