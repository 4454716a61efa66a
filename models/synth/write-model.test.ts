import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { gguf, GGMLQuantizationType } from '@huggingface/gguf'
import t from 'tap'
import { findModel } from '../catalogue.js'
import { SYNTHETIC_QUANTISATIONS, type SyntheticQuantisation } from './quantisation.js'
import { parametersOf, type ModelShape } from './shape.js'
import { vocabulary } from './vocabulary.js'
import { writeModel } from './write-model.js'

const entry = findModel('tiny')
if (entry.kind !== 'synthetic') throw new Error('tiny must be synthetic')
const tiny: ModelShape = entry.shape

t.test('the header says what was asked', async t => {
  for (const quantisation of SYNTHETIC_QUANTISATIONS) {
    const { target, bytes } = await write(t.testdir(), quantisation)
    const { metadata, tensorInfos, tensorDataOffset, parameterCount } = await gguf(target, { allowLocalFile: true, computeParametersCount: true })
    const keys = new Map<string, unknown>(Object.entries(metadata))
    t.match(Object.fromEntries(keys), {
      'general.architecture': 'llama',
      'llama.block_count': tiny.layers,
      'llama.embedding_length': tiny.embedding,
      'llama.feed_forward_length': tiny.feedForward,
      'llama.attention.head_count': tiny.heads,
      'llama.attention.head_count_kv': tiny.kvHeads,
      'llama.vocab_size': tiny.vocabulary,
      'llama.context_length': 8192,
      'tokenizer.ggml.model': 'llama',
      'tokenizer.ggml.bos_token_id': 1,
      'tokenizer.ggml.eos_token_id': 2,
      'weir.synthetic': true,
      'weir.seed': 1
    }, quantisation)
    for (const key of ['tokens', 'scores', 'token_type']) t.match(keys.get(`tokenizer.ggml.${key}`), { length: tiny.vocabulary }, key)
    t.equal(parameterCount, parametersOf(tiny))
    t.notOk(tensorInfos.some(({ name }) => name === 'output.weight'), 'tied')
    for (const { name, dtype, n_dims: dimensions } of tensorInfos) {
      t.equal(GGMLQuantizationType[dtype], dimensions === 1 ? 'F32' : quantisation, name)
    }
    const last = tensorInfos.at(-1)
    t.equal(last?.name, 'blk.2.ffn_down.weight')
    t.equal(Number(tensorDataOffset) + Number(last?.offset) + blockBytes(quantisation, tiny.embedding * tiny.feedForward), bytes, 'ends with its last tensor')
  }
})

t.test('the same seed gives the same bytes, another seed others', async t => {
  const first = await write(t.testdir(), 'Q8_0', 1)
  t.equal(createHash('sha256').update(readFileSync(first.target)).digest('hex'), first.sha256, 'the checksum is that of the file')
  const again = await write(path.join(t.testdir(), 'deep', 'er'), 'Q8_0', 1)
  const other = await write(t.testdir(), 'Q8_0', 2)
  t.equal(again.sha256, first.sha256)
  t.not(other.sha256, first.sha256)
  t.equal(first.sha256, '302b92822b7474113ff9e7e0ff0b7566af2a9df21485a45d6337a11b803e0226',
    'these bytes are in caches: when they change on purpose raise WRITER_VERSION in model-paths.ts and put the new checksum here')
})

t.test('the embedding has mean 0 and deviation 0.02; rows of what must not be written are zero', async t => {
  const { target } = await write(t.testdir(), 'Q8_0')
  const { tensorInfos, tensorDataOffset } = await gguf(target, { allowLocalFile: true })
  const start = Number(tensorDataOffset) + Number(tensorInfos.find(({ name }) => name === 'token_embd.weight')?.offset)
  const file = readFileSync(target)
  const { speakable, pieces } = vocabulary(tiny.vocabulary)
  const rowBytes = blockBytes('Q8_0', tiny.embedding)
  let sum = 0; let squares = 0; let count = 0
  for (const [id, piece] of pieces.entries()) {
    const row = file.subarray(start + id * rowBytes, start + (id + 1) * rowBytes)
    if (speakable[id] !== true) {
      if (row.some(byte => byte !== 0)) t.fail(`row of ${piece} is not zero`)
      continue
    }
    const scale = (1 + (row.readUInt16LE(0) & 1023) / 1024) * 2 ** ((row.readUInt16LE(0) >> 10) - 15)
    for (let i = 2; i < 34; i++) {
      const weight = scale * row.readInt8(i)
      sum += weight; squares += weight ** 2; count++
    }
  }
  t.ok(Math.abs(sum / count) < 0.0005, `mean ${sum / count}`)
  t.ok(Math.abs(Math.sqrt(squares / count) - 0.02) < 0.0005, `deviation ${Math.sqrt(squares / count)}`)
})

t.test('progress ends at the whole; what a dead process left is removed; what cannot be written leaves nothing', async t => {
  const folder = t.testdir({ 'm.gguf.999999999-1.tmp': 'half', [`m.gguf.${process.pid}-0.tmp`]: 'of a living process' })
  const seen: [number, number][] = []
  const { bytes } = await writeModel({ name: 'tiny', shape: tiny, quantisation: 'Q4_0', seed: 1 }, path.join(folder, 'm.gguf'), (...step) => seen.push(step))
  t.same(seen.at(-1), [bytes, bytes])
  t.same(readdirSync(folder).sort(), ['m.gguf', `m.gguf.${process.pid}-0.tmp`])
  await t.rejects(writeModel({ name: 'tiny', shape: tiny, quantisation: 'Q4_0', seed: -1 }, path.join(folder, 'n.gguf')), /seed -1 is not allowed/)
  await t.rejects(writeModel({ name: 'x', shape: { ...tiny, embedding: 100 }, quantisation: 'Q4_0', seed: 1 }, path.join(folder, 'n.gguf')), /100 columns; Q4_0 needs a multiple of 32/)
  writeFileSync(path.join(folder, 'file'), '')
  await t.rejects(writeModel({ name: 'x', shape: tiny, quantisation: 'Q4_0', seed: 1 }, path.join(folder, 'file', 'n.gguf')))
  t.same(readdirSync(folder).length, 3)
})

async function write (folder: string, quantisation: SyntheticQuantisation, seed = 1): Promise<{ target: string, bytes: number, sha256: string }> {
  const target = path.join(folder, `${quantisation}.gguf`)
  return { target, ...await writeModel({ name: 'tiny', shape: tiny, quantisation, seed }, target) }
}

function blockBytes (quantisation: SyntheticQuantisation, values: number): number {
  return { Q8_0: values / 32 * 34, Q4_0: values / 32 * 18, F16: values * 2 }[quantisation]
}
