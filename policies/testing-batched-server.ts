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
  readonly lengthsOf?: (random: () => number, isLong: (ask: Ask) => boolean) => SimulatedLengths
  readonly prefillMsPerToken: number
  /** Most tokens in a step (`-b`); prompts get what those that decode leave, in the order of slots. Default: no bound. */
  readonly batchTokens?: number
  /** One step of this many decoding slots. */
  readonly decodeStepMs: (slots: number) => number
  /** A step lasts up to this share longer, at random: the machine is not quiet. */
  readonly noise: number
  /** First bytes are told when they come, and slots are seen at each step, as of streams behind a gateway. Default: at the end of a call, and never. */
  readonly streamed?: boolean
  /** From being let in to being at the server, which looks between two steps, milliseconds. Default: 0. */
  readonly sendMs?: number
  /** Last tokens are told when they are on their way. Default: never. */
  readonly overlap?: boolean
}

interface Slot {
  id: number
  readonly call: number
  readonly promptTokens: number
  readonly outputTokens: number
  readonly feeds: boolean
  promptLeft: number
  /** Of them, those that upstream was given. */
  givenLeft: number
  givenTokens: number
  givenAtMs: number
  tokens: number
  firstByteAtMs: number
  lastTokenAtMs: number
  longestGapMs: number
}

/**
 * A server that works as llama-server does (its facts L6, L12): steps of one shared batch, in which each decoding slot gets a token and prompts that wait are evaluated
 * slot by slot; so calls that start together end together. A prompt that is fed in chunks keeps its slot between them.
 */
export function simulateBatched (options: BatchedOptions): SimulatedCall[] {
  const { streamed = false, batchTokens = Infinity, sendMs = 0 } = options
  let slots: Slot[] = []
  /** On their way, or waiting for a slot that is free. */
  const sent: Array<{ readonly slot: Slot, readonly named: number | undefined, readonly thereAtMs: number }> = []
  let nowMs = 0
  const lengths = new Map<number, SimulatedLengths>()
  const traffic = new Traffic(options, (call, { slot, feeds = false }) => {
    const { promptTokens, outputTokens } = lengths.get(call) ?? options
    const given = feeds ? 0 : promptTokens
    const own: Slot = { id: NaN, call, promptTokens, outputTokens, feeds, promptLeft: promptTokens, givenLeft: given, givenTokens: given, givenAtMs: nowMs, tokens: 0, firstByteAtMs: NaN, lastTokenAtMs: NaN, longestGapMs: 0 }
    sent.push({ slot: own, named: slot, thereAtMs: (traffic.calls[call]?.startedAtMs ?? NaN) + sendMs })
  }, (call, { toTokens }) => {
    const slot = [...slots, ...sent.map(each => each.slot)].find(each => each.call === call)
    if (slot === undefined) throw new Error(`a chunk of call ${call}, which has no slot`)
    slot.givenLeft = slot.givenTokens = toTokens - (slot.promptTokens - slot.promptLeft)
    slot.givenAtMs = nowMs
  })

  function arriveUntil (untilMs: number): void {
    while (traffic.nextAtMs <= untilMs) {
      const own = options.lengthsOf?.(traffic.random, ask => traffic.schedule.preemption.isLong(ask, options.places, nowMs))
      if (own !== undefined) lengths.set(traffic.calls.length, own)
      traffic.arrive(1, own?.ask)
    }
  }

  function wakeAtMs (): number {
    return traffic.schedule.wakeAtMs ?? Infinity
  }

  function begin (): void {
    for (let next = sent[0]; next !== undefined && next.thereAtMs <= nowMs && slots.length < options.places; next = sent[0]) {
      sent.shift()
      next.slot.id = next.named ?? freeId(slots)
      slots.push(next.slot)
    }
    slots.sort((a, b) => a.id - b.id)
  }

  function see (): void {
    if (streamed) traffic.see(Array.from({ length: options.places }, (_, id) => ({ id, busy: slots.some(slot => slot.id === id && (slot.givenLeft > 0 || slot.promptLeft === 0)) })), nowMs)
  }

  while (traffic.nextAtMs < Infinity || slots.length + sent.length > 0) {
    begin()
    see()
    if (wakeAtMs() <= nowMs) traffic.tick(nowMs)
    begin()
    const batch = slots.filter(slot => slot.givenLeft > 0 || slot.promptLeft === 0)
    if (batch.length === 0) {
      nowMs = Math.max(nowMs, Math.min(traffic.nextAtMs, wakeAtMs(), sent[0]?.thereAtMs ?? Infinity))
      if (nowMs === Infinity) throw new Error('everybody waits, and nothing will happen')
      begin()
      see()
      arriveUntil(nowMs)
      continue
    }
    const decoding = batch.filter(slot => slot.promptLeft === 0).length
    let room = batchTokens - decoding
    const parts = new Map(batch.map(slot => {
      const tokens = Math.min(slot.givenLeft, room)
      room -= tokens
      return [slot, tokens] as const
    }))
    const prompts = [...parts.values()].reduce((sum, tokens) => sum + tokens, 0)
    const stepMs = (prompts * options.prefillMsPerToken + (decoding === 0 ? 0 : options.decodeStepMs(decoding))) * (1 + options.noise * traffic.random())
    arriveUntil(nowMs + stepMs)
    nowMs += stepMs
    for (const [slot, tokens] of parts) {
      slot.promptLeft -= tokens
      slot.givenLeft -= tokens
      if (slot.promptLeft === 0) predict(slot, nowMs)
    }
    for (const { call, tokens } of batch) if (streamed && tokens === 1) traffic.firstByte(call, nowMs)
    for (const { call, tokens, outputTokens } of batch) if (options.overlap === true && tokens > 0 && tokens === outputTokens - 1) traffic.lastToken(call, nowMs)
    const over = batch.filter(slot => slot.tokens === slot.outputTokens)
    slots = slots.filter(slot => !over.includes(slot))
    for (const { call, firstByteAtMs, promptTokens, outputTokens, longestGapMs } of over) {
      const account = lengths.has(call) ? { evaluatedTokens: promptTokens, cachedTokens: 0, outputTokens } : undefined
      traffic.over(call, firstByteAtMs, nowMs, account, longestGapMs)
    }
    for (const [slot, tokens] of parts) {
      if (slot.feeds && tokens > 0 && slot.givenLeft === 0 && slot.promptLeft > 0) traffic.chunkOver(slot.call, slot.givenTokens, nowMs - slot.givenAtMs, nowMs)
    }
  }
  return traffic.calls
}

function predict (slot: Slot, atMs: number): void {
  slot.tokens++
  if (slot.tokens === 1) slot.firstByteAtMs = atMs
  else slot.longestGapMs = Math.max(slot.longestGapMs, atMs - slot.lastTokenAtMs)
  slot.lastTokenAtMs = atMs
}

function freeId (slots: readonly Slot[]): number {
  for (let id = 0; ; id++) if (!slots.some(slot => slot.id === id)) return id
}
