import type { AdmissionOptions } from './admission-options.js'
import type { PolicyLogger } from './contract.js'
import { PrefixChoice } from './prefix-choice.js'
import { ByLength, type SlotStrategy } from './slot-choice.js'
import { SlotFiles } from './slot-files.js'

/** A strategy as `admission` runs it. */
export interface ActiveStrategy {
  readonly strategy: SlotStrategy
  /** It goes by prompts: calls bring a text of theirs. */
  readonly byPrompt: boolean
  readonly gauges: () => Readonly<Record<string, number>>
}

/** Undefined: llama-server chooses. */
export function slotStrategyOf ({ slotChoice: choice, slotFiles }: Pick<AdmissionOptions, 'slotChoice' | 'slotFiles'>, log: PolicyLogger): ActiveStrategy | undefined {
  switch (choice) {
    case undefined:
    case 'server': return undefined
    case 'by-length': return { strategy: new ByLength(), byPrompt: false, gauges: () => ({}) }
    case 'prefix': {
      const prefix = new PrefixChoice(why => { log.warn({ why }, `slotChoice "prefix" is off until the gateway is started again, and llama-server chooses the slots: ${why}`) }, slotFiles === undefined ? undefined : new SlotFiles({ count: 16, minTokens: 512, ...slotFiles }))
      return {
        strategy: prefix,
        byPrompt: true,
        gauges: () => ({ slotChoiceOff: prefix.off ? 1 : 0, ...(prefix.foundShare === undefined ? {} : { cacheFoundShare: prefix.foundShare }) })
      }
    }
  }
}
