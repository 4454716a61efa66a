import { blockDeviceOf } from './block-device.js'
import type { KnobKind } from './contract.js'
import { groupSettingKnob } from './group-setting.js'
import { badValue, bytesOf, shown, wholeIn } from './values.js'

const name = 'io-max'
const WORDS: Readonly<Record<string, (amount: number) => string>> = {
  rbps: amount => `reads at most ${shown(amount)}/s`,
  wbps: amount => `writes at most ${shown(amount)}/s`,
  riops: amount => `at most ${amount.toLocaleString('en-US')} reads/s`,
  wiops: amount => `at most ${amount.toLocaleString('en-US')} writes/s`
}

/** `io.max` of llama-server's group, on the disk of the model file. */
export const ioMax: KnobKind = {
  name,
  value: 'rbps=BYTES[+KEY=N…]',
  describe: 'limits of llama-server\'s group on the model\'s disk (io.max), per second: rbps, wbps in bytes, riops, wiops in operations; joined by +',
  parse (value) {
    const limits = value.split(/[,+]/).map(part => limitOf(part, value))
    const repeated = limits.find(({ key }, i) => limits.findIndex(other => other.key === key) !== i)
    if (repeated !== undefined) throw badValue(name, value, `${repeated.key} is there twice`)
    const text = limits.map(({ key, amount }) => `${key}=${amount}`).join(' ')
    return groupSettingKnob({
      spec: `${name}=${value}`,
      name,
      title: `disk: ${limits.map(({ key, amount }) => WORDS[key]?.(amount)).join(', ')}`,
      controller: 'io',
      setting: 'io.max',
      value: at => `${blockDeviceOf(at.server.model.path)} ${text}`,
      matches: hasLimits,
      undoValue: asked => asked.replaceAll(/=\d+/g, '=max')
    })
  }
}

function limitOf (part: string, value: string): { readonly key: string, readonly amount: number } {
  const [key = '', amount = ''] = part.split('=', 2)
  if (WORDS[key] === undefined) throw badValue(name, value, `must be rbps=, wbps=, riops= or wiops=, joined by "+", as in ${name}=rbps=10M+riops=500`)
  return { key, amount: key.endsWith('bps') ? bytesOf(`${name}=${key}`, amount, 4096) : wholeIn(`${name}=${key}`, amount, 1, 1e9) }
}

/** The kernel shows one line for each device, with all four keys. */
export function hasLimits (asked: string, seen: string): boolean {
  const [device = '', ...limits] = asked.split(' ')
  const line = seen.split('\n').find(line => line.startsWith(`${device} `))?.split(' ') ?? []
  return limits.every(limit => line.includes(limit))
}
