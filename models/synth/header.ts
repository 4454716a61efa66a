import { serializeGgufMetadata, GGUFValueType, type GGUFTypedMetadata } from '@huggingface/gguf'
import { CHAT_TEMPLATE } from './chat-template.js'
import { BLOCK_FORMATS, type SyntheticQuantisation } from './quantisation.js'
import { aligned, ALIGNMENT_BYTES, type Layout, type PlacedTensor } from './layout.js'
import type { ModelShape } from './shape.js'
import { BOS_ID, EOS_ID, UNKNOWN_ID, type Vocabulary } from './vocabulary.js'

export interface HeaderFacts {
  readonly name: string
  readonly shape: ModelShape
  readonly quantisation: SyntheticQuantisation
  readonly seed: number
  readonly vocabulary: Vocabulary
  readonly layout: Layout
}

/** All that comes before the tensor data. The library writes the metadata; the tensor table it can only copy, so that is written here. */
export function header (facts: HeaderFacts): Buffer {
  const metadata = serializeGgufMetadata(metadataOf(facts), { alignment: 1 })
  const table = facts.layout.tensors.map(tensorInfo)
  const bytes = metadata.length + table.reduce((sum, info) => sum + info.length, 0)
  return Buffer.concat([metadata, ...table], aligned(bytes))
}

function tensorInfo (tensor: PlacedTensor): Buffer {
  const { name, columns, tensorType, offsetBytes } = tensor
  const text = Buffer.from(name)
  const dimensions = tensor.kind === 'vector' ? [columns] : [columns, tensor.rows]
  const info = Buffer.alloc(8 + text.length + 4 + 8 * dimensions.length + 4 + 8)
  let at = info.writeBigUInt64LE(BigInt(text.length))
  at += text.copy(info, at)
  at = info.writeUInt32LE(dimensions.length, at)
  for (const dimension of dimensions) at = info.writeBigUInt64LE(BigInt(dimension), at)
  at = info.writeUInt32LE(tensorType, at)
  info.writeBigUInt64LE(BigInt(offsetBytes), at)
  return info
}

function metadataOf ({ name, shape, quantisation, seed, vocabulary, layout }: HeaderFacts): GGUFTypedMetadata {
  const text = (value: string) => ({ value, type: GGUFValueType.STRING })
  const whole = (value: number) => ({ value, type: GGUFValueType.UINT32 })
  const real = (value: number) => ({ value, type: GGUFValueType.FLOAT32 })
  const flag = (value: boolean) => ({ value, type: GGUFValueType.BOOL })
  const list = (value: readonly (string | number)[], subType: GGUFValueType) => ({ value, type: GGUFValueType.ARRAY, subType })
  const arch = shape.architecture
  const entries = {
    version: whole(3),
    tensor_count: { value: BigInt(layout.tensors.length), type: GGUFValueType.UINT64 },
    kv_count: { value: 0n, type: GGUFValueType.UINT64 },
    'general.architecture': text(arch),
    'general.type': text('model'),
    'general.name': text(name),
    'general.description': text('Seeded random weights in the shape of a real model: its text is nonsense.'),
    'general.file_type': whole(BLOCK_FORMATS[quantisation].fileType),
    'general.quantization_version': whole(2),
    'general.alignment': whole(ALIGNMENT_BYTES),
    'weir.synthetic': flag(true),
    'weir.seed': whole(seed),
    [`${arch}.context_length`]: whole(shape.contextTokens),
    [`${arch}.embedding_length`]: whole(shape.embedding),
    [`${arch}.block_count`]: whole(shape.layers),
    [`${arch}.feed_forward_length`]: whole(shape.feedForward),
    [`${arch}.attention.head_count`]: whole(shape.heads),
    [`${arch}.attention.head_count_kv`]: whole(shape.kvHeads),
    [`${arch}.attention.layer_norm_rms_epsilon`]: real(shape.normEpsilon),
    [`${arch}.rope.freq_base`]: real(shape.ropeBase),
    [`${arch}.rope.dimension_count`]: whole(shape.embedding / shape.heads),
    [`${arch}.vocab_size`]: whole(shape.vocabulary),
    'tokenizer.ggml.model': text('llama'),
    'tokenizer.ggml.pre': text('default'),
    'tokenizer.ggml.tokens': list(vocabulary.pieces, GGUFValueType.STRING),
    'tokenizer.ggml.scores': list(vocabulary.scores, GGUFValueType.FLOAT32),
    'tokenizer.ggml.token_type': list(vocabulary.types, GGUFValueType.INT32),
    'tokenizer.ggml.bos_token_id': whole(BOS_ID),
    'tokenizer.ggml.eos_token_id': whole(EOS_ID),
    'tokenizer.ggml.unknown_token_id': whole(UNKNOWN_ID),
    'tokenizer.ggml.add_bos_token': flag(true),
    'tokenizer.ggml.add_eos_token': flag(false),
    'tokenizer.ggml.add_space_prefix': flag(true),
    'tokenizer.chat_template': text(CHAT_TEMPLATE)
  }
  // The library's type is a union over the architectures it knows by literal key names; these keys are computed.
  return entries as unknown as GGUFTypedMetadata
}
