/** The measures of a transformer: all that compute, memory and IO depend on. */
export interface ModelShape {
  /** `llama`, or `qwen2` (with biases on q, k and v). */
  readonly architecture: 'llama' | 'qwen2'
  readonly layers: number
  readonly embedding: number
  readonly feedForward: number
  readonly heads: number
  readonly kvHeads: number
  readonly vocabulary: number
  /** Tokens that the model claims to have been trained on at once. */
  readonly contextTokens: number
  readonly ropeBase: number
  readonly normEpsilon: number
}

export interface TensorShape {
  readonly name: string
  /** Values in a row (ggml's first dimension). */
  readonly columns: number
  /** Absent: a vector. */
  readonly rows?: number
  /** `weights` are random and quantised; `ones` and `zeros` are F32. `embedding` = weights whose rows of unspeakable ids are zero. */
  readonly fill: 'weights' | 'embedding' | 'ones' | 'zeros'
}

/** In file order. The output matrix is the embedding (tied): there is no `output.weight`. */
export function tensorsOf (shape: ModelShape): TensorShape[] {
  const { embedding, feedForward } = shape
  const kv = embedding / shape.heads * shape.kvHeads
  const tensors: TensorShape[] = [
    { name: 'token_embd.weight', columns: embedding, rows: shape.vocabulary, fill: 'embedding' },
    { name: 'output_norm.weight', columns: embedding, fill: 'ones' }
  ]
  for (let layer = 0; layer < shape.layers; layer++) {
    const matrix = (name: string, columns: number, rows: number): void => {
      tensors.push({ name: `blk.${layer}.${name}.weight`, columns, rows, fill: 'weights' })
    }
    const vector = (name: string, columns: number, fill: 'ones' | 'zeros'): void => {
      tensors.push({ name: `blk.${layer}.${name}`, columns, fill })
    }
    vector('attn_norm.weight', embedding, 'ones')
    matrix('attn_q', embedding, embedding)
    matrix('attn_k', embedding, kv)
    matrix('attn_v', embedding, kv)
    if (shape.architecture === 'qwen2') {
      vector('attn_q.bias', embedding, 'zeros')
      vector('attn_k.bias', kv, 'zeros')
      vector('attn_v.bias', kv, 'zeros')
    }
    matrix('attn_output', embedding, embedding)
    vector('ffn_norm.weight', embedding, 'ones')
    matrix('ffn_gate', embedding, feedForward)
    matrix('ffn_up', embedding, feedForward)
    matrix('ffn_down', feedForward, embedding)
  }
  return tensors
}

export function parametersOf (shape: ModelShape): number {
  return tensorsOf(shape).reduce((sum, { columns, rows }) => sum + columns * (rows ?? 1), 0)
}
