import { createHash } from 'node:crypto'

/** Draws whole numbers below `n`, the same from the same seed (mulberry32). */
export type Draw = (n: number) => number

export function drawFrom (seed: number): Draw {
  let state = seed
  return n => {
    state = (state + 0x6D2B79F5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % n
  }
}

/** A request body by what it means to llama-server, and how it happens to be written. */
export interface Written {
  readonly bytes: Buffer
  /** The same for all ways to write it, another one for every other body: made of what was drawn, never of the bytes. */
  readonly meaning: string
  readonly deterministic: boolean
}

/** A value with the ways to write it; the first stands for its meaning. */
type Ways = readonly string[]

const field = (name: string, ...values: Ways[]): readonly [name: string, values: readonly Ways[]] => [name, values]

/** Every field of sampling, each with values next to each other that must not be taken for one. */
const SAMPLING = [
  field('top_k', ['1'], ['40'], ['0']), field('top_p', ['0.95', '0.950', '95e-2', '9.5E-1'], ['0.9500000001'], ['1', '1.0'], ['0', '0.00']), field('min_p', ['0.05'], ['0.005'], ['0.5', '5e-1']),
  field('typical_p', ['1', '1.0'], ['0.9']), field('top_n_sigma', ['-1', '-1.0'], ['1', '1e0']), field('dynatemp_exponent', ['1', '1.00'], ['2']), field('xtc_threshold', ['0.1', '1e-1'], ['0.2']),
  field('repeat_penalty', ['1.1', '1.10'], ['1.2']), field('repeat_last_n', ['64'], ['-1'], ['0']), field('presence_penalty', ['0'], ['0.5'], ['-0.0']), field('frequency_penalty', ['0', '0.0'], ['0.5']),
  field('dry_multiplier', ['0.8', '8e-1'], ['0.08']), field('dry_base', ['1.75'], ['17.5', '175e-1']), field('dry_allowed_length', ['2'], ['3']), field('dry_penalty_last_n', ['64'], ['-1']),
  field('dry_sequence_breakers', ['["\\n"]', '["\\u000a"]'], ['["n"]']), field('mirostat_tau', ['5', '5.0'], ['6']), field('mirostat_eta', ['0.1'], ['0.2']),
  field('logit_bias', ['[[15043,1]]', '[ [ 15043 , 1 ] ]'], ['[[15043,1.0]]'], ['[[15043,false]]'], ['{"2":1,"1":2}'], ['{"1":2,"2":1}']), field('n_probs', ['0'], ['5']), field('logprobs', ['true'], ['false']),
  field('top_logprobs', ['2'], ['3']), field('min_keep', ['0'], ['1']), field('n_keep', ['0'], ['4']), field('ignore_eos', ['true'], ['false']), field('n', ['1'], ['2']), field('cache_prompt', ['true'], ['false']),
  field('stop', ['["a"]', '["\\u0061"]'], ['["b"]'], ['"a"']), field('grammar', ['"root ::= \\"a\\""', '"root ::= \\u0022a\\u0022"'], ['"root ::= \\"b\\""']), field('lora', ['[{"id":0,"scale":1.0}]'], ['[{"id":0,"scale":0.5}]'], ['[]']),
  field('samplers', ['["top_k","temperature"]', '["top_k", "temperature"]'], ['["temperature","top_k"]']), field('max_tokens', ['16'], ['17'], ['-1']), field('n_predict', ['16'], ['160']), field('t_max_predict_ms', ['100'], ['1000']),
  field('response_format', ['{"type":"json_object","schema":{"properties":{"a":{},"b":{}}}}', '{ "type" : "json_object" , "schema" : {"properties":{"a":{},"b":{}}} }'], ['{"type":"json_object","schema":{"properties":{"b":{},"a":{}}}}'],
    ['{"type":"json_object","schema":{"properties":{"2":{},"1":{}}}}'], ['{"type":"json_object","schema":{"properties":{"1":{},"2":{}}}}'], ['{"type":"json_object","schema":{"const":1}}'], ['{"type":"json_object","schema":{"const":1.0}}']),
  field('chat_template_kwargs', ['{"enable_thinking":true}'], ['{"enable_thinking":false}'], ['{"enable_thinking":"true"}']), field('reasoning_format', ['"none"'], ['"auto"']), field('some_day_field', ['1'], ['1.0'], ['"1"'])
]

/** How it samples: `true` where it has one answer. */
const DRAWS: ReadonlyArray<readonly [fields: ReadonlyArray<readonly [name: string, ways: Ways]>, deterministic: boolean]> = [
  [[['temperature', ['0', '0.0', '0e3', '0.000']]], true], [[['temperature', ['-1', '-1.0']]], true], [[['temperature', ['0']], ['seed', ['9007199254740992']]], true], [[['temperature', ['0']], ['seed', ['9007199254740993']]], true],
  [[['seed', ['7']]], true], [[['seed', ['8']]], true], [[['temperature', ['0.7', '0.70', '7e-1']], ['seed', ['7']]], true], [[['temperature', ['0.8']], ['seed', ['7']]], true],
  [[], false], [[['temperature', ['0.7', '0.70']]], false], [[['seed', ['-1']]], false], [[['seed', ['4294967295']]], false], [[['temperature', ['null']]], false],
  [[['temperature', ['0']], ['xtc_probability', ['0.5']]], false], [[['temperature', ['0']], ['dynatemp_range', ['0.5']]], false], [[['temperature', ['0']], ['samplers', ['["top_k"]']]], false], [[['temperature', ['0']], ['mirostat', ['2']]], false]
]

/** Texts that look alike. */
const TEXTS: readonly Ways[] = [
  ['"caf\u00e9"', '"caf\\u00e9"', '"caf\\u00E9"'], ['"cafe\u0301"', '"cafe\\u0301"'], ['"cafe"', '"\\u0063afe"'], ['"a/b"', '"a\\/b"'], ['"a\\\\/b"'], ['"\u{1F600}"', '"\\ud83d\\ude00"'], ['"\\ud83d"'], ['"\ufffd"', '"\\ufffd"'],
  ['"x\\",\\"temperature\\":\\"1"'], ['"x"'], ['"x "'], ['"X"'], ['"\\u0000"'], ['""'], ['"\u2028"', '"\\u2028"'], ['" "']
]

/** What a body means, to be written down in many ways. */
export interface Meant {
  readonly meaning: string
  readonly deterministic: boolean
  readonly messages: readonly Ways[]
  readonly fields: ReadonlyMap<string, Ways>
}

/** A body near many others: few texts and settings, each of which may be another one. */
export function drawMeaning (draw: Draw): Meant {
  const [draws, deterministic] = one(DRAWS, draw)
  const fields = new Map<string, Ways>()
  const messages = Array.from({ length: 1 + draw(2) }, () => one(TEXTS, draw))
  if (draw(8) === 0) fields.set('prompt', one([['[1,2,3]', '[1, 2 ,3]'], ['[1.0,2,3]'], ['[1,2,31]'], ['["1",2,3]']], draw))
  for (let count = draw(3); count > 0; count--) {
    const [name, values] = one(SAMPLING, draw)
    fields.set(name, one(values, draw))
  }
  for (const [name, ways] of draws) fields.set(name, ways)
  if (draw(4) === 0) fields.set('stream', one([['true'], ['false']], draw))
  return meant(messages, fields, deterministic)
}

/** The same body with one setting of sampling put in, taken out or exchanged; what draws stays. */
export function near ({ messages, fields, deterministic }: Meant, draw: Draw): Meant {
  const changed = new Map(fields)
  const [name, values] = one(SAMPLING.filter(([name]) => name !== 'samplers'), draw)
  const value = one(values, draw)
  if (!changed.delete(name) || draw(2) === 0) changed.set(name, value)
  return meant(messages, changed, deterministic)
}

function meant (messages: Meant['messages'], fields: Meant['fields'], deterministic: boolean): Meant {
  const said = [...fields].sort(([a], [b]) => a < b ? -1 : 1).map(([name, [first]]) => `${name}=${first}`)
  return { meaning: JSON.stringify([messages.map(([first]) => first), said]), deterministic, messages, fields }
}

/** In any order and notation. */
export function write ({ meaning, deterministic, messages, fields }: Meant, draw: Draw): Written {
  const content = `[${messages.map(text => `{"role":"user","content":${one(text, draw)}}`).join(',')}]`
  const written = shuffled<readonly [name: string, value: string]>([['messages', content], ...[...fields].map(([name, ways]) => [name, one(ways, draw)] as const)], draw)
  // A name that comes twice: the last counts.
  if (draw(10) === 0) written.unshift(['messages', '[]'])
  if (draw(3) === 0) written.splice(draw(written.length + 1), 0, ['user', `"u${draw(1000)}"`])
  if (draw(6) === 0) written.splice(draw(written.length + 1), 0, ['metadata', `{"trace":"${draw(1000)}"}`])
  const space = (): string => one(['', '', ' ', '\n  ', '\t'], draw)
  const name = (text: string): string => draw(12) === 0 ? text.replace(/[a-z]/, letter => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`) : text
  const text = `{${space()}${written.map(([key, value]) => `"${name(key)}"${space()}:${space()}${value}`).join(`${space()},${space()}`)}${space()}}`
  return { bytes: Buffer.from(text), meaning, deterministic }
}

export function hashOf (text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function one<T> (items: readonly T[], draw: Draw): T {
  const item = items[draw(items.length)]
  if (item === undefined) throw new Error('nothing to draw from')
  return item
}

function shuffled<T> (items: readonly T[], draw: Draw): T[] {
  const out = [...items]
  for (let at = out.length - 1; at > 0; at--) {
    const other = draw(at + 1)
    const [a, b] = [out[at], out[other]]
    if (a !== undefined && b !== undefined) [out[at], out[other]] = [b, a]
  }
  return out
}
