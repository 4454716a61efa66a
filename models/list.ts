import { cacheDir } from './cache.js'
import { CATALOGUE, DEFAULT_MODEL_NAME, DEFAULT_SYNTHETIC_QUANTISATION, type CatalogueEntry } from './catalogue.js'
import { variantsOf } from './model-paths.js'
import { layOut } from './synth/layout.js'
import { parametersOf } from './synth/shape.js'
import { megabytes, parameterCount } from './units.js'

/** The catalogue as text of at most 80 columns (the cache's path excepted), with a mark at what the cache has. */
export function listText (): string {
  const twins = CATALOGUE.filter(entry => entry.kind === 'synthetic')
  const hub = CATALOGUE.filter(entry => entry.kind === 'hub')
  return [
    'Synthetic (seeded random weights: real work, the text is nonsense)',
    ...twins.map(row),
    ...twins.flatMap(entry => 'differs' in entry ? [`  ${entry.name}: ${entry.differs}`] : []),
    '',
    'From the hub (pinned to a commit, checked against its published sha256)',
    ...hub.map(row),
    '',
    `Default: ${DEFAULT_MODEL_NAME} in ${DEFAULT_SYNTHETIC_QUANTISATION}. The size is that of the first quantisation.`,
    '* is in the cache:',
    cacheDir('models'),
    'The path of any .gguf file does as well.',
    ''
  ].join('\n')
}

function row (entry: CatalogueEntry): string {
  const variants = variantsOf(entry).map(({ quantisation, cached }) => quantisation + (cached ? '*' : ''))
  return `  ${entry.name.padEnd(18)} ${measures(entry)}  ${variants.join(' ').padEnd(16)}  ${entry.title}`
}

function measures (entry: CatalogueEntry): string {
  const [parameters, bytes] = entry.kind === 'hub'
    ? ['', entry.files[0].bytes]
    : [parameterCount(parametersOf(entry.shape)), layOut(entry.shape, DEFAULT_SYNTHETIC_QUANTISATION).dataBytes]
  return `${parameters.padStart(5)} ${megabytes(bytes).padStart(7)}`
}
