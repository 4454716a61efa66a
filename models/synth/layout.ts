import { BLOCK_FORMATS, type SyntheticQuantisation } from './quantisation.js'
import { tensorsOf, type Matrix, type ModelShape, type Vector } from './shape.js'

/** GGUF's default; tensor data and every tensor in it begin at a multiple of it. */
export const ALIGNMENT_BYTES = 32
const F32_TENSOR = 0

export interface Place {
  readonly tensorType: number
  /** From the start of the tensor data. */
  readonly offsetBytes: number
  /** Without the padding behind it. */
  readonly bytes: number
}

export type PlacedTensor = (Vector | Matrix) & Place

export interface Layout {
  readonly tensors: readonly PlacedTensor[]
  /** Of all tensor data with padding. */
  readonly dataBytes: number
}

export function layOut (shape: ModelShape, quantisation: SyntheticQuantisation): Layout {
  const format = BLOCK_FORMATS[quantisation]
  let offsetBytes = 0
  const tensors = tensorsOf(shape).map(tensor => {
    const isVector = tensor.kind === 'vector'
    if (!isVector && tensor.columns % format.valuesPerBlock !== 0) {
      throw new RangeError(`${tensor.name} has ${tensor.columns} columns; ${quantisation} needs a multiple of ${format.valuesPerBlock}`)
    }
    const bytes = isVector ? tensor.columns * 4 : tensor.rows * tensor.columns / format.valuesPerBlock * format.bytesPerBlock
    const placed = { ...tensor, tensorType: isVector ? F32_TENSOR : format.tensorType, offsetBytes, bytes }
    offsetBytes = aligned(offsetBytes + bytes)
    return placed
  })
  return { tensors, dataBytes: offsetBytes }
}

export function aligned (bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT_BYTES) * ALIGNMENT_BYTES
}
