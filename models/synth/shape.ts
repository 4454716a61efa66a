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

/** A vector lies in the file as F32 and is filled with one value. */
export interface Vector { readonly kind: 'vector', readonly name: string, readonly columns: number, readonly value: number }

/** A matrix is random with mean 0, and quantised. `columns` is the length of a row (ggml's first dimension). */
export interface Matrix {
  readonly kind: 'matrix'
  readonly name: string
  readonly columns: number
  readonly rows: number
  readonly deviation: number
  /** A row is a token: the rows of those that the model must not write are zero. */
  readonly perToken: boolean
}

const EMBEDDING_DEVIATION = 0.02
/**
 * An id with a zero row has the logit 0: with others as wide as this it is not written even when no top-k or top-p cuts it off,
 * while enough words stay likely for varied text.
 */
const LOGIT_DEVIATION = 4

/** In file order. The output matrix is the embedding (tied): there is no `output.weight`. */
export function tensorsOf (shape: ModelShape): (Vector | Matrix)[] {
  const { embedding, feedForward } = shape
  const kv = embedding / shape.heads * shape.kvHeads
  const tensors: (Vector | Matrix)[] = []
  function vector (name: string, columns: number, value: number): void {
    tensors.push({ kind: 'vector', name, columns, value })
  }
  function matrix (name: string, columns: number, rows: number): void {
    // Keeps the size of what passes through, so that layers outweigh the embedding of the last word and text does not repeat it.
    tensors.push({ kind: 'matrix', name, columns, rows, deviation: 1 / Math.sqrt(columns), perToken: false })
  }
  tensors.push({
    kind: 'matrix', name: 'token_embd.weight', columns: embedding, rows: shape.vocabulary, deviation: EMBEDDING_DEVIATION, perToken: true
  })
  vector('output_norm.weight', embedding, LOGIT_DEVIATION / (EMBEDDING_DEVIATION * Math.sqrt(embedding)))
  for (let layer = 0; layer < shape.layers; layer++) {
    const block = `blk.${layer}.`
    vector(`${block}attn_norm.weight`, embedding, 1)
    matrix(`${block}attn_q.weight`, embedding, embedding)
    matrix(`${block}attn_k.weight`, embedding, kv)
    matrix(`${block}attn_v.weight`, embedding, kv)
    if (shape.architecture === 'qwen2') {
      vector(`${block}attn_q.bias`, embedding, 0)
      vector(`${block}attn_k.bias`, kv, 0)
      vector(`${block}attn_v.bias`, kv, 0)
    }
    matrix(`${block}attn_output.weight`, embedding, embedding)
    vector(`${block}ffn_norm.weight`, embedding, 1)
    matrix(`${block}ffn_gate.weight`, embedding, feedForward)
    matrix(`${block}ffn_up.weight`, embedding, feedForward)
    matrix(`${block}ffn_down.weight`, feedForward, embedding)
  }
  return tensors
}

export function parametersOf (shape: ModelShape): number {
  return tensorsOf(shape).reduce((sum, tensor) => sum + tensor.columns * (tensor.kind === 'matrix' ? tensor.rows : 1), 0)
}
