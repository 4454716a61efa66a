import type { Group, Setting } from '../cgroups/contract.js'
import type { ServerOptions } from '../../models/types.js'
import type { Knob, ServerRunning } from './contract.js'
import { parseKnobs } from './index.js'

/** The knob of one spec. */
export function knobOf (spec: string): Knob {
  const [knob] = parseKnobs([spec])
  if (knob === undefined) throw new Error(`${spec} is no knob`)
  return knob
}

/** A launch of llama-server as a run makes it. */
export function launchOf (changes: Partial<Omit<ServerOptions, 'logPath'>> = {}): Omit<ServerOptions, 'logPath'> {
  return {
    binary: { command: 'llama-server', argsBefore: [], env: {}, from: 'test', version: '0.7.0 (build 11669, commit abc)' },
    model: { name: 'm', path: '/proc/self/exe', bytes: 1024 ** 2, sha256: '', parameters: 1, quantisation: 'Q8_0', synthetic: true },
    slots: 2,
    slotContextTokens: 256,
    threads: 1,
    batchTokens: 256,
    cpus: [1],
    ...changes
  }
}

/** A block whose llama-server is this very process. */
export function runningBlock (changes: Partial<ServerRunning> = {}): ServerRunning {
  return {
    folder: '/nowhere',
    server: launchOf(),
    group: undefined,
    clientCpus: [],
    signal: new AbortController().signal,
    pid: process.pid,
    url: 'http://127.0.0.1:9',
    apiKey: 'key',
    ...changes
  }
}

export interface FakeGroup extends Group {
  readonly settings: Map<Setting, string>
  /** Every write, as `SETTING VALUE`. */
  readonly writes: string[]
}

/** A group that keeps what it is told; this process is in it. */
export function fakeGroup (settings: Partial<Record<Setting, string>>, changes: Partial<Group> = {}): FakeGroup {
  const kept = new Map(Object.entries(settings) as Array<[Setting, string]>)
  const writes: string[] = []
  return {
    version: 'v2',
    path: '/sys/fs/cgroup/weir-test',
    enter: [],
    settings: kept,
    writes,
    async set (setting, value) {
      writes.push(`${setting} ${value}`)
      kept.set(setting, value)
    },
    async get (setting) { return kept.get(setting) ?? '' },
    counters: () => ({}),
    async processes () { return [process.pid] },
    async remove () {},
    ...changes
  }
}
