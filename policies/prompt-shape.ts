import type { CallCaps, Cap } from './caps.js'
import type { Call } from './contract.js'
import { severalPrompts } from './longest-prompt.js'
import { conversationOf, isInstruction } from './turns.js'

/** What can be seen of a prompt without asking anybody. */
export interface PromptShape {
  /** UTF-16 units of its text, of the longest where there are several prompts. Names of fields, roles, types, ids, media and token ids have none. */
  readonly chars: number
  /** Messages other than system and developer; 0 where the prompt is no conversation. */
  readonly turns: number
  readonly images: number
}

const promptFields = [
  'messages', 'system', 'instructions', 'tools', 'functions', 'prompt', 'input', 'content', 'input_prefix', 'input_suffix', 'input_extra',
  'query', 'documents', 'texts', 'multimodal_data'
]
/** Fields that say what a thing is. Anything else may come into the prompt and counts. */
const labels = new Set(['role', 'type', 'id', 'call_id', 'tool_call_id', 'tool_use_id', 'status'])
const imageTypes = new Set<unknown>(['image_url', 'input_image', 'image'])
const otherMediaTypes = new Set<unknown>(['input_audio', 'audio', 'audio_url', 'file', 'input_file', 'document', 'video', 'video_url', 'input_video'])

export function promptShape (call: Pick<Call, 'path' | 'body'>): PromptShape {
  const { json } = call.body
  const several = severalPrompts(call)
  const prompt = Object.fromEntries(promptFields.filter(field => json[field] !== undefined && field !== several?.field).map(field => [field, json[field]]))
  const common = sizeOf(prompt)
  const each = several?.prompts.map(sizeOf) ?? []
  return {
    chars: common.chars + each.reduce((most, { chars }) => Math.max(most, chars), 0),
    turns: conversationOf(json)?.messages.filter(message => !isInstruction(message)).length ?? 0,
    images: common.images + each.reduce((sum, { images }) => sum + images, 0)
  }
}

/** Text and images in a value of any shape. Without recursion: clients may nest as deep as they like. */
export function sizeOf (value: unknown): Pick<PromptShape, 'chars' | 'images'> {
  let chars = 0
  let images = 0
  const open: unknown[] = [value]
  while (open.length > 0) {
    const item = open.pop()
    if (typeof item === 'string') chars += item.length
    if (typeof item !== 'object' || item === null) continue
    if (Array.isArray(item)) {
      for (const inner of item) if (typeof inner !== 'number') open.push(inner)
      continue
    }
    const type: unknown = Reflect.get(item, 'type')
    if (imageTypes.has(type)) images++
    if (imageTypes.has(type) || otherMediaTypes.has(type)) continue
    for (const [name, inner] of Object.entries(item)) {
      // Bytes in base64 that may be anything: each counts as an image.
      if (name === 'multimodal_data') images += Array.isArray(inner) ? inner.length : 1
      else if (!labels.has(name)) open.push(inner)
    }
  }
  return { chars, images }
}

/** A cap that a prompt exceeds. */
export interface Excess {
  readonly cap: Cap
  readonly what: keyof PromptShape
  readonly count: number
}

const shapeCaps = [['maxTurns', 'turns'], ['maxImages', 'images'], ['maxPromptChars', 'chars']] as const

/** The first cap that is exceeded. @param shapeOf called when there is such a cap at all: it looks at the whole prompt */
export function excessOf (caps: CallCaps, shapeOf: () => PromptShape): Excess | undefined {
  let shape: PromptShape | undefined
  for (const [name, what] of shapeCaps) {
    const cap = caps[name]
    if (cap === undefined) continue
    shape ??= shapeOf()
    if (shape[what] > cap.value) return { cap, what, count: shape[what] }
  }
  return undefined
}
