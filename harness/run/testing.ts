/** A block on the fake llama-server with knobs and a control group that only note what was done to them. For tests only. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { Controller, Group, GroupHost, Setting } from '../cgroups/contract.js'
import type { Knob } from '../knobs/contract.js'
import type { ServerOptions } from '../../models/types.js'
import { packageRoot } from '../package-root.js'
import type { StreamsWorkload } from '../types.js'
import type { BlockInput } from './block.js'

/** Notes `NAME before`, `NAME running`, `NAME read back` and `NAME undone …` in `log`. */
export function fakeKnob (name: string, log: string[], over: Partial<Knob> = {}): Knob {
  const step = (what: string) => async () => {
    log.push(`${name} ${what}`)
    return async () => { log.push(`${name} undone ${what}`) }
  }
  return {
    spec: name,
    name,
    title: `the knob ${name}`,
    controllers: [],
    before: step('before'),
    running: step('running'),
    readBack: async () => {
      log.push(`${name} read back`)
      return { [name]: 'on' }
    },
    ...over
  }
}

export interface FakeGroup extends Group {
  /** What the next `counters()` says. */
  now: Record<string, number>
}

/** `enter` is `env`: a prefix that runs the rest. */
export function fakeGroupHost (log: string[], controllers: readonly Controller[] = ['cpu', 'memory']): { readonly host: () => Promise<GroupHost>, readonly group: FakeGroup } {
  const settings = new Map<Setting, string>()
  const group: FakeGroup = {
    version: 'v2',
    path: '/sys/fs/cgroup/weir-test',
    enter: ['env'],
    now: {},
    set: async (setting, value) => { settings.set(setting, value) },
    get: async setting => settings.get(setting) ?? 'max',
    counters: () => ({ ...group.now }),
    processes: async () => [],
    remove: async () => { log.push('group removed') }
  }
  const host: GroupHost = {
    ok: true,
    version: 'v2',
    controllers,
    parent: '/sys/fs/cgroup',
    create: async (_name, wanted) => {
      log.push(`group made with ${wanted.join(' ')}`)
      return group
    }
  }
  return { host: async () => host, group }
}

export const smallStreams: StreamsWorkload = { kind: 'streams', clients: 1, calls: 2, promptWords: 4, predictTokens: 10, warmupCalls: 1, patienceSeconds: 60 }

/** The fake as a program; `env` sets its speed (`FAKE_DECODE_MS_PER_TOKEN`). */
export function fakeServerOptions (folder: string, env: Readonly<Record<string, string>> = {}): Omit<ServerOptions, 'logPath'> {
  mkdirSync(folder, { recursive: true })
  const model = join(folder, 'model.gguf')
  writeFileSync(model, '')
  return {
    binary: { command: process.execPath, argsBefore: [`${packageRoot()}/dist/models/fake/cli.js`], env, from: 'test', version: '0.0.0' },
    model: { name: 'fake', path: model, bytes: 0, sha256: '0', parameters: 0, quantisation: 'Q8_0', synthetic: true },
    slots: 1,
    slotContextTokens: 4096,
    threads: 1,
    batchTokens: 512
  }
}

export function streamsBlock (t: Test, over: Partial<BlockInput> = {}, env: Readonly<Record<string, string>> = {}): BlockInput {
  const folder = t.testdir()
  return {
    plan: { index: 3, pair: 2, condition: 'q500', traceSeed: 1002 },
    workload: smallStreams,
    policies: [],
    knobs: [],
    groupHost: async () => ({ ok: false, why: 'no cgroup2 is mounted', mend: 'type this' }),
    server: fakeServerOptions(join(folder, 'model'), env),
    placement: { serverCpus: [0], clientCpus: [], note: '' },
    promptSeed: 1,
    folder: join(folder, 'block'),
    signal: new AbortController().signal,
    onStep: () => {},
    ...over
  }
}
