import { gguf } from '@huggingface/gguf'
import type { ModelFile } from '../../models/types.js'

/** Bytes of the weights: the file without its header, which holds the vocabulary. The whole file where the header cannot be read. */
export async function weightBytes ({ path, bytes }: ModelFile): Promise<number> {
  return await gguf(path, { allowLocalFile: true }).then(({ tensorDataOffset }) => bytes - Number(tensorDataOffset), () => bytes)
}

/** Pages at the edges of mappings, and norms that are copied. */
export const MOST_OF_THE_WEIGHTS = 0.98
