import { Schedule, type ScheduleOptions } from './schedule.js'
import type { Effect } from './schedule-events.js'
import { seededRandom, type SimulatedCall } from './testing-simulation.js'

export interface BatchedOptions extends ScheduleOptions {
  readonly seed: number
  readonly arrivalsPerSecond: number
  readonly durationMs: number
  readonly promptTokens: number
  readonly outputTokens: number
  readonly prefillMsPerToken: number
  /** One step of this many decoding slots. */
  readonly decodeStepMs: (slots: number) => number
  /** A step lasts up to this share longer, at random: the machine is not quiet. */
  readonly noise: number
}

interface Slot { readonly id: string, readonly call: number, promptLeft: number, tokens: number }

/**
 * A server that works as llama-server does (its facts L6, L12): steps of one shared batch, in which each decoding slot gets a token and all
 * prompts that wait are prefilled; so calls that start together end together. Poisson arrivals.
 */
export function simulateBatched (options: BatchedOptions): SimulatedCall[] {
  const random = seededRandom(options.seed)
  const schedule = new Schedule(options)
  const calls: SimulatedCall[] = []
  let slots: Slot[] = []
  let nowMs = 0
  const nextGapMs = (): number => -Math.log(1 - random()) / options.arrivalsPerSecond * 1000
  let arrivalAtMs = nextGapMs()

  function apply (effects: readonly Effect[]): void {
    for (const effect of effects) {
      const index = Number(effect.id)
      const call = calls[index]
      if (call === undefined) throw new Error(`effect for the unknown call ${effect.id}`)
      if (effect.type === 'refuse') calls[index] = { ...call, refused: effect.reason }
      else {
        calls[index] = { ...call, startedAtMs: effect.queueWaitMs + call.arrivedAtMs }
        slots.push({ id: effect.id, call: index, promptLeft: options.promptTokens, tokens: 0 })
      }
    }
  }

  function arriveUntil (untilMs: number): void {
    for (; arrivalAtMs <= untilMs && arrivalAtMs < options.durationMs; arrivalAtMs += nextGapMs()) {
      calls.push({ arrivedAtMs: arrivalAtMs })
      apply(schedule.on({ type: 'arrive', id: String(calls.length - 1), places: 1, atMs: arrivalAtMs, sinceMs: arrivalAtMs }))
    }
  }

  while (arrivalAtMs < options.durationMs || slots.length > 0) {
    if (slots.length === 0) {
      nowMs = arrivalAtMs
      arriveUntil(nowMs)
      continue
    }
    const batch = [...slots]
    const prompts = batch.reduce((sum, slot) => sum + slot.promptLeft, 0)
    const decoding = batch.filter(slot => slot.promptLeft === 0).length
    const stepMs = (prompts * options.prefillMsPerToken + (decoding === 0 ? 0 : options.decodeStepMs(decoding))) * (1 + options.noise * random())
    arriveUntil(nowMs + stepMs)
    nowMs += stepMs
    for (const slot of batch) {
      slot.promptLeft = 0
      slot.tokens++
      const call = calls[slot.call]
      if (slot.tokens === 1 && call !== undefined) calls[slot.call] = { ...call, firstByteAtMs: nowMs }
    }
    const over = batch.filter(slot => slot.tokens === options.outputTokens)
    slots = slots.filter(slot => !over.includes(slot))
    for (const slot of over) {
      const call = calls[slot.call]
      if (call?.firstByteAtMs === undefined) throw new Error(`call ${slot.id} ended without a first byte`)
      calls[slot.call] = { ...call, overAtMs: nowMs }
      apply(schedule.on({ type: 'firstByte', id: slot.id, firstByteAtMs: call.firstByteAtMs, atMs: nowMs }))
      apply(schedule.on({ type: 'released', id: slot.id, atMs: nowMs }))
    }
  }
  return calls
}
