import { BLOCK_FORMATS, type SyntheticQuantisation } from './quantisation.js'
import { tensorsOf, type ModelShape, type TensorShape } from './shape.js'

/** GGUF's default; tensor data and every tensor in it begin at a multiple of it. */
export const ALIGNMENT_BYTES = 32
const F32_TENSOR = 0

export interface PlacedTensor extends TensorShape {
  readonly tensorType: number
  /** From the start of the tensor data. */
  readonly offsetBytes: number
  /** Without the padding behind it. */
  readonly bytes: number
}

export interface Layout {
  readonly tensors: readonly PlacedTensor[]
  /** Of all tensor data with padding. */
  readonly dataBytes: number
}

export function layOut (shape: ModelShape, quantisation: SyntheticQuantisation): Layout {
  const format = BLOCK_FORMATS[quantisation]
  let offsetBytes = 0
  const tensors = tensorsOf(shape).map(tensor => {
    const { columns, rows } = tensor
    if (rows !== undefined && columns % format.valuesPerBlock !== 0) {
      throw new RangeError(`${tensor.name} has ${columns} columns; ${quantisation} needs a multiple of ${format.valuesPerBlock}`)
    }
    const bytes = rows === undefined ? columns * 4 : rows * columns / format.valuesPerBlock * format.bytesPerBlock
    const placed = { ...tensor, tensorType: rows === undefined ? F32_TENSOR : format.tensorType, offsetBytes, bytes }
    offsetBytes = aligned(offsetBytes + bytes)
    return placed
  })
  return { tensors, dataBytes: offsetBytes }
}

export function aligned (bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT_BYTES) * ALIGNMENT_BYTES
}
