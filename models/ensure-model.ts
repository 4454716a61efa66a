import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { DEFAULT_SEED, findModel, type HubFile, type HubModel, type SyntheticEntry } from './catalogue.js'
import { cachedSha256Of, rememberSha256 } from './checksum.js'
import { download } from './download.js'
import { hubPath, syntheticPath } from './model-paths.js'
import type { OnProgress } from './progress.js'
import { SYNTHETIC_QUANTISATIONS } from './synth/quantisation.js'
import { parametersOf } from './synth/shape.js'
import type { ModelFile } from './types.js'

export interface EnsureOptions {
  /** Called often (each chunk); not at all when the file is there and was checked before. */
  readonly onProgress?: OnProgress
  /** Of a catalogue model; absent: its default. Upper and lower case are the same. */
  readonly quantisation?: string
  /** Of a synthetic model, 0 … 2³²-1; 1 if absent. */
  readonly seed?: number
}

/**
 * The model file, present and checked: a catalogue name, or `NAME:QUANTISATION`, is fetched or written into the cache when it is not there or was altered;
 * anything with a path separator or ending in `.gguf` is a file of the caller's own. Throws on an unknown name or quantisation,
 * naming what there is, and when the file cannot be had.
 */
export async function ensureModel (name: string, options: EnsureOptions = {}): Promise<ModelFile> {
  if (/[\\/]|\.gguf$/i.test(name)) return await ownFile(name, options)
  const at = name.indexOf(':')
  if (at < 0) return await fromCatalogue(name, options)
  const quantisation = name.slice(at + 1)
  if (options.quantisation !== undefined) throw new Error(`${name}: quantisation ${options.quantisation} is asked for, too; leave one away`)
  return { ...await fromCatalogue(name.slice(0, at), { ...options, quantisation }), name }
}

async function fromCatalogue (name: string, options: EnsureOptions): Promise<ModelFile> {
  const entry = findModel(name)
  return entry.kind === 'hub' ? await hubFile(entry, options) : await syntheticFile(entry, options)
}

async function ownFile (name: string, { quantisation, seed, onProgress }: EnsureOptions): Promise<ModelFile> {
  if (quantisation !== undefined || seed !== undefined) {
    throw new Error(`${name} is a file: ${seed === undefined ? `quantisation ${quantisation}` : `seed ${seed}`} cannot be chosen for it, leave that out`)
  }
  const file = path.resolve(name)
  return await described(path.basename(name).replace(/\.gguf$/i, ''), file, onProgress)
}

async function hubFile (entry: HubModel, { quantisation, seed, onProgress }: EnsureOptions): Promise<ModelFile> {
  if (seed !== undefined) throw new Error(`${entry.name} has real weights, seed ${seed} means nothing for it; leave it out or take ${entry.name}-twin`)
  const file = chosen(entry.name, entry.files, ({ quantisation }) => quantisation, quantisation)
  const target = hubPath(file)
  if (!await exists(target) || await cachedSha256Of(target, onProgress) !== file.sha256) {
    await rm(target, { force: true })
    await download({ url: hubUrl(entry, file), target, bytes: file.bytes, sha256: file.sha256, ...(onProgress ? { onProgress } : {}) })
    await rememberSha256(target, file.sha256)
  }
  return await described(entry.name, target, onProgress)
}

async function syntheticFile (entry: SyntheticEntry, { quantisation: wanted, seed = DEFAULT_SEED, onProgress }: EnsureOptions): Promise<ModelFile> {
  const { name, shape } = entry
  const quantisation = chosen(name, SYNTHETIC_QUANTISATIONS, quantisation => quantisation, wanted)
  const target = syntheticPath(entry, quantisation, seed)
  if (!await isAsWritten(target, onProgress)) {
    // The writer brings a GGUF library that takes 0.2 s to load: only when it is needed.
    const { writeModel } = await import('./synth/write-model.js')
    const { sha256 } = await writeModel({ name, shape, quantisation, seed }, target, (doneBytes, totalBytes) => {
      onProgress?.({ step: 'write', doneBytes, totalBytes })
    })
    await rememberSha256(target, sha256)
    await writeFile(`${target}.sha256`, `${sha256}  ${path.basename(target)}\n`)
  }
  const { size: bytes } = await stat(target)
  const sha256 = await cachedSha256Of(target, onProgress)
  return { name, path: target, bytes, sha256, parameters: parametersOf(shape), quantisation, synthetic: true, seed }
}

/** Compares with the `.sha256` file (in the form of `sha256sum -c`) that was written beside it. */
async function isAsWritten (target: string, onProgress?: OnProgress): Promise<boolean> {
  if (!await exists(target)) return false
  const noted = await readFile(`${target}.sha256`, 'utf8').catch(() => '')
  return noted.startsWith(await cachedSha256Of(target, onProgress))
}

async function described (name: string, file: string, onProgress?: OnProgress): Promise<ModelFile> {
  const { ggufFacts } = await import('./gguf-facts.js')
  const facts = await ggufFacts(file)
  const { size: bytes } = await stat(file)
  return { name, path: file, bytes, sha256: await cachedSha256Of(file, onProgress), ...facts }
}

function chosen<T> (name: string, all: readonly [T, ...T[]], quantisationOf: (one: T) => string, wanted?: string): T {
  if (wanted === undefined) return all[0]
  const found = all.find(one => quantisationOf(one).toLowerCase() === wanted.toLowerCase())
  if (found !== undefined) return found
  throw new Error(`${name}: no quantisation ${JSON.stringify(wanted)}; there are ${all.map(quantisationOf).join(', ')}`)
}

/** HF_ENDPOINT names a mirror, as for the hub's own tools. */
function hubUrl ({ repository, revision }: HubModel, { file }: HubFile): string {
  const endpoint = process.env['HF_ENDPOINT'] || 'https://huggingface.co'
  return `${endpoint.replace(/\/+$/, '')}/${repository}/resolve/${revision}/${file}`
}

async function exists (file: string): Promise<boolean> {
  return await stat(file).then(stats => stats.isFile(), () => false)
}
