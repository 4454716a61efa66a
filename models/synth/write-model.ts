import { createHash, type Hash } from 'node:crypto'
import { mkdir, open, readdir, rename, rm, type FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { needDiskSpace } from '../disk-space.js'
import { header } from './header.js'
import { layOut, type PlacedTensor } from './layout.js'
import { BLOCK_FORMATS, type BlockFormat, type SyntheticQuantisation } from './quantisation.js'
import { mixSeed } from './random.js'
import type { ModelShape } from './shape.js'
import { vocabulary } from './vocabulary.js'

const CHUNK_BYTES = 4 * 1024 * 1024

/** Keeps apart the temporary files of one process. */
let writes = 0

export interface SyntheticModel {
  readonly name: string
  readonly shape: ModelShape
  readonly quantisation: SyntheticQuantisation
  /** 0 … 2³²-1. The same seed gives the same bytes on every machine. */
  readonly seed: number
}

export interface WrittenFile { readonly bytes: number, readonly sha256: string }

/**
 * Writes a GGUF of random weights. The file appears under `target` only when it is whole and on disk (so that its write-back
 * does not disturb a measurement that follows). Memory: the vocabulary and one chunk of 4 MiB.
 * Throws when the disk has too little space, before anything is written.
 */
export async function writeModel (
  model: SyntheticModel, target: string, onProgress: (doneBytes: number, totalBytes: number) => void = () => {}
): Promise<WrittenFile> {
  const { shape, quantisation, seed } = model
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xFFFFFFFF) {
    throw new RangeError(`seed ${seed} is not allowed: give a whole number from 0 to 4294967295`)
  }
  const layout = layOut(shape, quantisation)
  const words = vocabulary(shape.vocabulary)
  const head = header({ ...model, vocabulary: words, layout })
  const totalBytes = head.length + layout.dataBytes
  await mkdir(path.dirname(target), { recursive: true })
  await needDiskSpace(path.dirname(target), totalBytes)
  await removeOrphans(target)
  const temporary = `${target}.${process.pid}-${++writes}.tmp`
  const file = await open(temporary, 'w')
  try {
    const output = new Output(file, doneBytes => onProgress(doneBytes, totalBytes))
    await output.write(head)
    for (const [index, tensor] of layout.tensors.entries()) {
      await writeTensor(output, tensor, BLOCK_FORMATS[quantisation], mixSeed(seed, index), words.speakable)
      await output.pad(layout.tensors[index + 1]?.offsetBytes ?? layout.dataBytes, head.length)
    }
    await file.sync()
    await file.close()
    await rename(temporary, target)
    return { bytes: output.bytes, sha256: output.sha256() }
  } catch (error) {
    await file.close().catch(() => {})
    await rm(temporary, { force: true })
    throw error
  }
}

/** What a killed process left behind. */
async function removeOrphans (target: string): Promise<void> {
  for (const name of await readdir(path.dirname(target))) {
    const pid = name.startsWith(path.basename(target)) ? /\.(\d+)-\d+\.tmp$/.exec(name)?.[1] : undefined
    if (pid !== undefined && !isAlive(Number(pid))) await rm(path.join(path.dirname(target), name), { force: true })
  }
}

function isAlive (pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

async function writeTensor (
  output: Output, tensor: PlacedTensor, format: BlockFormat, seed: number, speakable: readonly boolean[]
): Promise<void> {
  if (tensor.kind === 'vector') {
    return await output.write(Buffer.from(new Float32Array(tensor.columns).fill(tensor.value).buffer))
  }
  const { rows, bytes, deviation, perToken } = tensor
  const rowBytes = bytes / rows
  const rowsPerChunk = Math.min(rows, Math.max(1, Math.floor(CHUNK_BYTES / rowBytes)))
  const chunk = new Uint8Array(rowsPerChunk * rowBytes)
  for (let row = 0; row < rows; row += rowsPerChunk) {
    const part = chunk.subarray(0, Math.min(rowsPerChunk, rows - row) * rowBytes)
    format.fill(part, mixSeed(seed, row), deviation)
    if (perToken) {
      for (let at = 0; at < part.length; at += rowBytes) {
        if (speakable[row + at / rowBytes] !== true) part.fill(0, at, at + rowBytes)
      }
    }
    await output.write(part)
  }
}

class Output {
  bytes = 0
  readonly #hash: Hash = createHash('sha256')
  readonly #file: FileHandle
  readonly #onProgress: (doneBytes: number) => void

  constructor (file: FileHandle, onProgress: (doneBytes: number) => void) {
    this.#file = file
    this.#onProgress = onProgress
  }

  async write (part: Uint8Array): Promise<void> {
    this.#hash.update(part)
    // A write may be short; the next goes on where it stopped.
    for (let at = 0; at < part.length;) at += (await this.#file.write(part, at)).bytesWritten
    this.bytes += part.length
    this.#onProgress(this.bytes)
  }

  async pad (offsetBytes: number, headerBytes: number): Promise<void> {
    const missing = headerBytes + offsetBytes - this.bytes
    if (missing > 0) await this.write(new Uint8Array(missing))
  }

  sha256 (): string {
    return this.#hash.digest('hex')
  }
}
