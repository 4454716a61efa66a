import type { SyntheticQuantisation } from './synth/quantisation.js'
import type { ModelShape } from './synth/shape.js'

/** A file on the hub, pinned to a commit of its repository. */
export interface HubFile {
  readonly quantisation: string
  readonly file: string
  readonly bytes: number
  /** As the hub publishes it for this commit. */
  readonly sha256: string
}

export interface HubModel {
  readonly kind: 'hub'
  readonly name: string
  readonly title: string
  readonly repository: string
  /** Commit of the repository. */
  readonly revision: string
  readonly licence: string
  /** The first is the default. */
  readonly files: readonly [HubFile, ...HubFile[]]
}

export interface SyntheticEntry {
  readonly kind: 'synthetic'
  readonly name: string
  readonly title: string
  readonly shape: ModelShape
  /** What a measurement should know of the difference to the original, besides the random weights and the tokenizer. */
  readonly differs?: string
}

export type CatalogueEntry = HubModel | SyntheticEntry

export const DEFAULT_MODEL_NAME = 'smollm2-135m-twin'
export const DEFAULT_SYNTHETIC_QUANTISATION: SyntheticQuantisation = 'Q8_0'
export const DEFAULT_SEED = 1

/** Shapes: `config.json` of HuggingFaceTB/SmolLM2-135M-Instruct, Qwen/Qwen2.5-0.5B-Instruct, meta-llama/Llama-3.2-1B-Instruct. */
export const CATALOGUE: readonly CatalogueEntry[] = [
  {
    kind: 'synthetic',
    name: DEFAULT_MODEL_NAME,
    title: 'shape of SmolLM2-135M',
    shape: {
      architecture: 'llama',
      layers: 30,
      embedding: 576,
      feedForward: 1536,
      heads: 9,
      kvHeads: 3,
      vocabulary: 49_152,
      contextTokens: 8192,
      ropeBase: 100_000,
      normEpsilon: 1e-5
    }
  },
  {
    kind: 'synthetic',
    name: 'qwen2.5-0.5b-twin',
    title: 'shape of Qwen2.5-0.5B',
    shape: {
      architecture: 'qwen2',
      layers: 24,
      embedding: 896,
      feedForward: 4864,
      heads: 14,
      kvHeads: 2,
      vocabulary: 151_936,
      contextTokens: 32_768,
      ropeBase: 1_000_000,
      normEpsilon: 1e-6
    },
    differs: 'embedding = output matrix; the hub file stores both'
  },
  {
    kind: 'synthetic',
    name: 'llama-3.2-1b-twin',
    title: 'shape of Llama-3.2-1B',
    shape: {
      architecture: 'llama',
      layers: 16,
      embedding: 2048,
      feedForward: 8192,
      heads: 32,
      kvHeads: 8,
      vocabulary: 128_256,
      contextTokens: 131_072,
      ropeBase: 500_000,
      normEpsilon: 1e-5
    },
    differs: 'no rope_freqs (frequency scaling for long contexts)'
  },
  {
    kind: 'synthetic',
    name: 'tiny',
    title: 'no original; for tests',
    shape: {
      architecture: 'llama',
      layers: 3,
      embedding: 128,
      feedForward: 384,
      heads: 4,
      kvHeads: 2,
      vocabulary: 4096,
      contextTokens: 8192,
      ropeBase: 10_000,
      normEpsilon: 1e-5
    }
  },
  {
    kind: 'synthetic',
    name: 'small',
    title: 'no original; mid-sized',
    shape: {
      architecture: 'llama',
      layers: 14,
      embedding: 512,
      feedForward: 1408,
      heads: 8,
      kvHeads: 4,
      vocabulary: 16_384,
      contextTokens: 8192,
      ropeBase: 10_000,
      normEpsilon: 1e-5
    }
  },
  {
    kind: 'hub',
    name: 'smollm2-135m',
    title: 'SmolLM2-135M-Instruct',
    repository: 'bartowski/SmolLM2-135M-Instruct-GGUF',
    revision: '09816acd5d99df7be770d85ea30822623dab342c',
    licence: 'Apache-2.0',
    files: [
      {
        quantisation: 'Q8_0',
        file: 'SmolLM2-135M-Instruct-Q8_0.gguf',
        bytes: 144_811_360,
        sha256: '5a1395716f7913741cc51d98581b9b1228d80987a9f7d3664106742eb06bba83'
      },
      {
        quantisation: 'Q4_K_M',
        file: 'SmolLM2-135M-Instruct-Q4_K_M.gguf',
        bytes: 105_454_432,
        sha256: '2e8040ceae7815abe0dcb3540b9995eaa1fa0d2ca9e797d0a635ae4433c68c2d'
      }
    ]
  },
  {
    kind: 'hub',
    name: 'qwen2.5-0.5b',
    title: 'Qwen2.5-0.5B-Instruct',
    repository: 'Qwen/Qwen2.5-0.5B-Instruct-GGUF',
    revision: '9217f5db79a29953eb74d5343926648285ec7e67',
    licence: 'Apache-2.0',
    files: [
      {
        quantisation: 'Q8_0',
        file: 'qwen2.5-0.5b-instruct-q8_0.gguf',
        bytes: 675_710_816,
        sha256: 'ca59ca7f13d0e15a8cfa77bd17e65d24f6844b554a7b6c12e07a5f89ff76844e'
      },
      {
        quantisation: 'Q4_K_M',
        file: 'qwen2.5-0.5b-instruct-q4_k_m.gguf',
        bytes: 491_400_032,
        sha256: '74a4da8c9fdbcd15bd1f6d01d621410d31c6fc00986f5eb687824e7b93d7a9db'
      }
    ]
  },
  {
    kind: 'hub',
    name: 'llama-3.2-1b',
    title: 'Llama-3.2-1B-Instruct',
    repository: 'bartowski/Llama-3.2-1B-Instruct-GGUF',
    revision: '067b946cf014b7c697f3654f621d577a3e3afd1c',
    licence: 'Llama 3.2 Community License',
    files: [
      {
        quantisation: 'Q8_0',
        file: 'Llama-3.2-1B-Instruct-Q8_0.gguf',
        bytes: 1_321_083_008,
        sha256: '432f310a77f4650a88d0fd59ecdd7cebed8d684bafea53cbff0473542964f0c3'
      },
      {
        quantisation: 'Q4_K_M',
        file: 'Llama-3.2-1B-Instruct-Q4_K_M.gguf',
        bytes: 807_694_464,
        sha256: '6f85a640a97cf2bf5b8e764087b1e83da0fdb51d7c9fab7d0fece9385611df83'
      }
    ]
  }
]

/** Upper and lower case are the same. Throws when there is no such model, naming all there are. */
export function findModel (name: string): CatalogueEntry {
  const entry = CATALOGUE.find(candidate => candidate.name === name.toLowerCase())
  if (entry !== undefined) return entry
  throw new Error(`no model ${JSON.stringify(name)}: there are ${CATALOGUE.map(({ name }) => name).join(', ')}; or give the path of a .gguf file`)
}
