/** What its steps are timed by. */
export interface FakeClock {
  /** Milliseconds. */
  nowMs (): number
  setTimeout (fn: () => void, delayMs: number): unknown
  clearTimeout (handle: unknown): void
}

/** How the fake behaves. Everything has a default, so `startFakeServer({})` works. */
export interface FakeOptions {
  /** Port on 127.0.0.1; 0 (default): a free one. */
  readonly port?: number
  /** `-np`. Default 4. */
  readonly slots?: number
  /** Context of one slot, tokens. Default 4096. */
  readonly slotContextTokens?: number
  /** Time one uncached prompt token takes, milliseconds. Default 0: a step then takes one turn of the event loop. */
  readonly prefillMsPerToken?: number
  /** Time of a step in which at least one slot decodes, however many do, milliseconds. Default 0. */
  readonly decodeMsPerToken?: number
  /** `-b`: most tokens one step processes. Default 2048. */
  readonly batchTokens?: number
  /** Tokens in the KV pool all slots share (unified KV); when it is full, every running call fails with 500. Default: no such pool. */
  readonly kvPoolTokens?: number
  /** An answer ends by itself after this many tokens, unless the call says `ignore_eos`; a function is asked for each call. Default 16. */
  readonly answerTokens?: number | (() => number)
  /** False: no slot remembers its last prompt, so that every prompt is prefilled whole. Default true, as in llama-server. */
  readonly promptCache?: boolean
  /** Absent: no key is asked for. */
  readonly apiKey?: string
  /** For this long after the start every route answers 503 `Loading model`, milliseconds. Default 0. */
  readonly loadingMs?: number
  /** Time from a client's leaving to the cancel, milliseconds (1,000 or more in llama-server). Default 0. */
  readonly disconnectNoticeMs?: number
  /** Idle keep-alive connections are closed after this long, milliseconds. Default 5000, as in llama-server. */
  readonly keepAliveTimeoutMs?: number
  /** True: starts held, nothing is decoded but by `step()`. Default false. */
  readonly manual?: boolean
  /** Default: the system's. */
  readonly clock?: FakeClock
  /** Model name in answers. Default `fake`. */
  readonly alias?: string
}

export type FakeSettings = Required<Omit<FakeOptions, 'apiKey'>> & { readonly apiKey: string | undefined }

const systemClock: FakeClock = {
  nowMs: () => performance.now(),
  setTimeout: (fn, delayMs) => setTimeout(fn, delayMs),
  clearTimeout: handle => clearTimeout(handle as NodeJS.Timeout)
}

const MAX_TIMER_MS = 2 ** 31 - 1

export function settle (options: FakeOptions): FakeSettings {
  const settings: FakeSettings = {
    port: options.port ?? 0,
    slots: options.slots ?? 4,
    slotContextTokens: options.slotContextTokens ?? 4096,
    prefillMsPerToken: options.prefillMsPerToken ?? 0,
    decodeMsPerToken: options.decodeMsPerToken ?? 0,
    batchTokens: options.batchTokens ?? 2048,
    kvPoolTokens: options.kvPoolTokens ?? Infinity,
    answerTokens: options.answerTokens ?? 16,
    promptCache: options.promptCache ?? true,
    apiKey: options.apiKey,
    loadingMs: options.loadingMs ?? 0,
    disconnectNoticeMs: options.disconnectNoticeMs ?? 0,
    keepAliveTimeoutMs: options.keepAliveTimeoutMs ?? 5000,
    manual: options.manual ?? false,
    clock: options.clock ?? systemClock,
    alias: options.alias ?? 'fake'
  }
  for (const name of ['slots', 'slotContextTokens', 'batchTokens', 'answerTokens'] as const) {
    const value = settings[name]
    if (typeof value === 'function') continue
    atLeast(name, value, 1)
    if (!Number.isInteger(value)) throw new RangeError(`fake llama-server: ${name} is ${value}; give a whole number`)
  }
  for (const name of ['prefillMsPerToken', 'decodeMsPerToken', 'loadingMs', 'disconnectNoticeMs', 'keepAliveTimeoutMs', 'port'] as const) {
    atLeast(name, settings[name], 0)
    if (settings[name] > MAX_TIMER_MS) throw new RangeError(`fake llama-server: ${name} is ${settings[name]}; at most ${MAX_TIMER_MS} is possible`)
  }
  atLeast('kvPoolTokens', settings.kvPoolTokens, 1)
  return settings
}

function atLeast (name: string, value: number, least: number): void {
  if (!(value >= least)) throw new RangeError(`fake llama-server: ${name} is ${value}; give a number of at least ${least}`)
}
