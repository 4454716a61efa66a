import type { Call } from './contract.js'
import { routeName } from './need.js'

/** Settings of sampling that hold where a call says nothing, as `/props` names them. */
export type SamplingDefaults = Readonly<Record<string, unknown>>

/** Samplers that only take candidates away or move them up and down, the same way each time. */
const STEADY = new Set<unknown>(['penalties', 'dry', 'top_n_sigma', 'top_k', 'typ_p', 'top_p', 'min_p', 'xtc', 'temperature'])

/** llama-server's word for "draw a seed", the largest of 32 bits. */
const RANDOM_SEED = 2 ** 32 - 1

/** Routes that read a temperature from where it stands in the body; what others make of one (`/predict` has a setting in each of its instances) is not known here. */
const HEATED = new Set(['/completion', '/completions', '/infill', '/chat/completions', '/responses', '/messages'])
/** Those that read a seed and the other settings, too; `/v1/messages` draws all the same where a seed stands beside its temperature (seen). */
const OBEYING = new Set(['/completion', '/completions', '/infill', '/chat/completions', '/responses'])

/**
 * Whether upstream would say the same again, because nothing is drawn or the seed is given. What says neither draws: llama-server's default is 0.8.
 * Temperature 0 alone is not enough. With a `dynatemp_range` it is not 0, the sampler `xtc` throws a die, and without `temperature` among the samplers it has no effect
 * (all three seen on a real server), and each of them may also be set where the server was started.
 */
export function isDeterministic ({ route, path, body: { json } }: Pick<Call, 'route' | 'path' | 'body'>, defaults: SamplingDefaults): boolean {
  const name = routeName(path)
  const obeys = OBEYING.has(name)
  if (route === 'slot-bound' || (obeys && isSeed(json['seed']))) return true
  const { temperature } = json
  if (!HEATED.has(name) || typeof temperature !== 'number' || !(temperature <= 0)) return false
  const setting = (field: string): unknown => (obeys ? json[field] : undefined) ?? defaults[field]
  return ['dynatemp_range', 'xtc_probability', 'mirostat'].every(field => (setting(field) ?? 0) === 0) &&
    (setting('backend_sampling') ?? false) === false &&
    hasSteadySamplers(setting('samplers'))
}

/** A larger one is cut to 32 bits in llama-server, and could be the word for a random one. */
function isSeed (seed: unknown): boolean {
  return typeof seed === 'number' && Number.isInteger(seed) && seed >= 0 && seed < RANDOM_SEED
}

/** Absent: those of llama-server itself, which are. */
function hasSteadySamplers (samplers: unknown): boolean {
  return samplers === undefined || (Array.isArray(samplers) && samplers.includes('temperature') && samplers.every(name => STEADY.has(name)))
}

const LINKS = new Set(['url', 'image_url', 'audio_url', 'video_url', 'file_url'])

/** Whether the prompt names something that lies elsewhere (an image by its address) and may be another one next time. */
export function refersElsewhere (json: unknown): boolean {
  const open: unknown[] = [json]
  while (open.length > 0) {
    const item = open.pop()
    if (typeof item !== 'object' || item === null) continue
    if (Array.isArray(item)) {
      for (const inner of item) if (typeof inner === 'object') open.push(inner)
      continue
    }
    for (const [name, inner] of Object.entries(item)) {
      if (typeof inner === 'string' && LINKS.has(name) && !inner.startsWith('data:')) return true
      if (typeof inner === 'object') open.push(inner)
    }
  }
  return false
}
