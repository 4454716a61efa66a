import { existsSync } from 'node:fs'
import { cacheDir } from './cache.js'
import { DEFAULT_SEED, type CatalogueEntry, type HubFile, type SyntheticEntry } from './catalogue.js'
import { SYNTHETIC_QUANTISATIONS, type SyntheticQuantisation } from './synth/quantisation.js'

/** Raise it when a change alters the bytes that the writer makes of a seed, so that a cache keeps the versions apart. */
const WRITER_VERSION = 2

export function syntheticPath ({ name }: SyntheticEntry, quantisation: SyntheticQuantisation, seed: number): string {
  return cacheDir('models', `${name}-${quantisation}-seed${seed}-v${WRITER_VERSION}.gguf`)
}

export function hubPath ({ file }: HubFile): string {
  return cacheDir('models', file)
}

/** The quantisations there are, the default first, and whether the cache has them (synthetic: for the default seed). */
export function variantsOf (entry: CatalogueEntry): { readonly quantisation: string, readonly cached: boolean }[] {
  return entry.kind === 'hub'
    ? entry.files.map(file => ({ quantisation: file.quantisation, cached: existsSync(hubPath(file)) }))
    : SYNTHETIC_QUANTISATIONS.map(quantisation => ({ quantisation, cached: existsSync(syntheticPath(entry, quantisation, DEFAULT_SEED)) }))
}
