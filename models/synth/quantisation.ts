import { seededRandom } from './random.js'

export const SYNTHETIC_QUANTISATIONS = ['Q8_0', 'Q4_0', 'F16'] as const
export type SyntheticQuantisation = typeof SYNTHETIC_QUANTISATIONS[number]

/** How a quantisation lies in the file, and how random blocks of it are made. */
export interface BlockFormat {
  /** ggml's tensor type. */
  readonly tensorType: number
  /** `general.file_type`. */
  readonly fileType: number
  readonly valuesPerBlock: number
  readonly bytesPerBlock: number
  /** Fills whole blocks with weights of mean 0 and this standard deviation. */
  fill (blocks: Uint8Array, seed: number, deviation: number): void
}

/** Steps from -127 to 127; -128 would make the mean uneven. */
const Q8_BYTES = Uint8Array.from({ length: 256 }, (_, byte) => byte === 0x80 ? 0 : byte)
const Q8_DEVIATION_STEPS = 127 / Math.sqrt(3)
/** Two steps of -7 … 7, stored with 8 added; nibble 0 (-8) would pull all weights one way, which shows as a common direction. */
const Q4_BYTES = Uint8Array.from({ length: 256 }, (_, byte) => ((byte >> 4) || 8) << 4 | ((byte & 15) || 8))
const Q4_DEVIATION_STEPS = Math.sqrt(17.5)

export const BLOCK_FORMATS: Readonly<Record<SyntheticQuantisation, BlockFormat>> = {
  Q8_0: {
    tensorType: 8,
    fileType: 7,
    valuesPerBlock: 32,
    bytesPerBlock: 34,
    fill: (blocks, seed, deviation) => fillScaled(blocks, seed, 34, halfBits(deviation / Q8_DEVIATION_STEPS), Q8_BYTES)
  },
  Q4_0: {
    tensorType: 2,
    fileType: 2,
    valuesPerBlock: 32,
    bytesPerBlock: 18,
    fill: (blocks, seed, deviation) => fillScaled(blocks, seed, 18, halfBits(deviation / Q4_DEVIATION_STEPS), Q4_BYTES)
  },
  F16: { tensorType: 1, fileType: 1, valuesPerBlock: 1, bytesPerBlock: 2, fill: fillHalves }
}

/** ggml's blocks of one half-precision scale and its steps: random steps at one scale, which costs no quantising. */
function fillScaled (blocks: Uint8Array, seed: number, bytesPerBlock: number, scale: number, bytes: Uint8Array): void {
  const random = seededRandom(seed)
  for (let block = 0; block < blocks.length; block += bytesPerBlock) {
    blocks[block] = scale & 255
    blocks[block + 1] = scale >> 8
    for (let i = block + 2; i < block + bytesPerBlock; i += 4) {
      const word = random()
      blocks[i] = bytes[word & 255] ?? 0
      blocks[i + 1] = bytes[word >>> 8 & 255] ?? 0
      blocks[i + 2] = bytes[word >>> 16 & 255] ?? 0
      blocks[i + 3] = bytes[word >>> 24] ?? 0
    }
  }
}

function fillHalves (blocks: Uint8Array, seed: number, deviation: number): void {
  const values = evenHalves(deviation)
  const random = seededRandom(seed)
  for (let i = 0; i < blocks.length; i += 2) {
    const half = values[random() & 0xFFFF] ?? 0
    blocks[i] = half & 255
    blocks[i + 1] = half >> 8
  }
}

const halvesOf = new Map<number, Uint16Array>()

/** 65,536 values spread evenly around 0; kept, for a model has few deviations and many chunks. */
function evenHalves (deviation: number): Uint16Array {
  const known = halvesOf.get(deviation)
  if (known !== undefined) return known
  const values = Uint16Array.from({ length: 65_536 }, (_, i) => halfBits(deviation * Math.sqrt(3) * ((i + 0.5) / 32_768 - 1)))
  halvesOf.set(deviation, values)
  return values
}

/** IEEE half precision of a number below 1, nearest, subnormals included (Node 20 has no Float16Array). */
export function halfBits (value: number): number {
  const sign = value < 0 ? 0x8000 : 0
  const size = Math.abs(value)
  const exponent = Math.max(-14, Math.floor(Math.log2(size)))
  if (size < 2 ** -14) return sign | Math.round(size * 2 ** 24)
  return sign | (((exponent + 15) << 10) + Math.round((size / 2 ** exponent - 1) * 1024))
}
