import { open } from 'node:fs/promises'
import { gguf, GGMLFileQuantizationType } from '@huggingface/gguf'
import type { ModelFile } from './types.js'

export type GgufFacts = Pick<ModelFile, 'parameters' | 'quantisation' | 'synthetic' | 'seed'>

/** What the header of a GGUF file says. Throws when it is none; of a model in several files only the first is read. */
export async function ggufFacts (path: string): Promise<GgufFacts> {
  await needMagic(path)
  const { metadata, parameterCount } = await gguf(path, { allowLocalFile: true, computeParametersCount: true }).catch((error: unknown) => {
    throw new Error(`${path}: the GGUF header cannot be read (${error instanceof Error ? error.message : String(error)}); fetch or convert the model again`, { cause: error })
  })
  const keys = new Map<string, unknown>(Object.entries(metadata))
  const fileType = keys.get('general.file_type')
  const seed = keys.get('weir.seed')
  return {
    parameters: parameterCount,
    quantisation: typeof fileType === 'number' ? GGMLFileQuantizationType[fileType] ?? `file type ${fileType}` : 'unknown',
    synthetic: keys.get('weir.synthetic') === true,
    ...(typeof seed === 'number' ? { seed } : {})
  }
}

async function needMagic (path: string): Promise<void> {
  const file = await open(path).catch((error: unknown) => {
    throw new Error(`${path}: cannot be opened (${error instanceof Error ? error.message : String(error)}); give the path of a .gguf file or a model's name`, { cause: error })
  })
  try {
    const { buffer } = await file.read(Buffer.alloc(4), 0, 4, 0)
    if (buffer.toString('latin1') !== 'GGUF') throw new Error(`${path}: no GGUF file (it does not begin with "GGUF"); give a model that llama.cpp can load`)
  } finally {
    await file.close()
  }
}
