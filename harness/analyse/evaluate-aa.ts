import { binomialBound } from '../stats/binomial.js'
import { below, seededRandom, shuffled } from '../stats/random.js'
import type { Block, Evidence } from '../types.js'
import { analyse } from './analyse.js'

export interface RelabelOptions {
  readonly relabellings: number
  /** Pairs in each fictitious comparison; twice as many blocks are drawn. Default 8. */
  readonly pairs?: number
  readonly seed: number
}

export interface FalseAlarms {
  readonly bank: number
  readonly relabellings: number
  readonly pairs: number
  readonly better: number
  readonly worse: number
  readonly equivalent: number
  readonly cannotSay: number
  /** (better + worse) ÷ relabellings. */
  readonly rate: number
  /** 99 % binomial bound of alpha, as a rate. */
  readonly bound: number
  readonly holds: boolean
}

/**
 * A/A: draws pairs and labels at random from a bank of blocks of equal arms, sends each fictitious comparison through
 * the shipped analyse() and counts the verdicts of the primary outcome. All that analyse() sees of a block's origin (index,
 * pair, condition, seed) is overwritten, so it cannot know that the arms are equal.
 * @throws when the bank has fewer than 2 × pairs blocks
 */
export function relabelAA (bank: Evidence, { relabellings, pairs = 8, seed }: RelabelOptions): FalseAlarms {
  if (bank.blocks.length < 2 * pairs) {
    throw new Error(`the bank has ${bank.blocks.length} blocks; ${pairs} pairs need at least ${2 * pairs} (40 or more are meant): record more or ask for fewer pairs`)
  }
  const random = seededRandom(seed)
  const counts = { better: 0, worse: 0, equivalent: 0, 'cannot say': 0 }
  for (let i = 0; i < relabellings; i++) {
    const drawn = shuffled(random, bank.blocks).slice(0, 2 * pairs)
    const swaps = Array.from({ length: pairs }, () => below(random, 2))
    const blocks = drawn.map((block, at) => relabelled(block, at, (at + (swaps[at >> 1] ?? 0)) % 2 === 0 ? 'before' : 'after'))
    const result = analyse({ ...bank, blocks, plan: { ...bank.plan, seed: seed + i, blocks: blocks.map(block => block.evidence.plan) } }, { cells: false })
    const primary = result.contrasts.find(contrast => contrast.primary)
    if (primary === undefined) throw new Error('the plan of the bank has no primary outcome that analyse() knows')
    counts[primary.verdict]++
  }
  const alarms = counts.better + counts.worse
  const most = binomialBound(relabellings, bank.plan.alpha, 0.99)
  return {
    bank: bank.blocks.length,
    relabellings,
    pairs,
    better: counts.better,
    worse: counts.worse,
    equivalent: counts.equivalent,
    cannotSay: counts['cannot say'],
    rate: alarms / relabellings,
    bound: most / relabellings,
    holds: alarms <= most
  }
}

function relabelled (block: Block, at: number, condition: string): Block {
  const pair = (at >> 1) + 1
  return { ...block, evidence: { ...block.evidence, plan: { index: at + 1, pair, condition, traceSeed: pair } } }
}
