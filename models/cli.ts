import path from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import ora from 'ora'
import { DEFAULT_MODEL_NAME, DEFAULT_SEED, findModel } from './catalogue.js'
import { ensureModel } from './ensure-model.js'
import { listText } from './list.js'
import type { OnProgress, Progress } from './progress.js'
import { SYNTHETIC_QUANTISATIONS } from './synth/quantisation.js'
import { megabytes } from './units.js'

/** `models list | pull | synth`. The path of the file goes to stdout, progress to stderr. Actions reject with errors for the user to read. */
export function modelsCommand (): Command {
  const models = new Command('models').description('list the models, or bring one into the cache')
  models.command('list')
    .description('show the models there are')
    .action(() => { process.stdout.write(listText()) })
  models.command('pull')
    .description('fetch a model from the hub, or write it if it is synthetic')
    .argument('[name]', 'name in the list', DEFAULT_MODEL_NAME)
    .option('--quantisation <name>', 'one of those in the list; absent: the first')
    .action(async (name: string, { quantisation }: { quantisation?: string }) => {
      await withProgress(name, async onProgress => {
        const file = await ensureModel(name, { onProgress, ...(quantisation === undefined ? {} : { quantisation }) })
        return [file.path, `${file.name} ${file.quantisation}, ${megabytes(file.bytes)}, sha256 ${file.sha256.slice(0, 16)}…`]
      })
    })
  models.command('synth')
    .description('write a synthetic model: seeded random weights')
    .argument('[name]', 'name of a synthetic model in the list', DEFAULT_MODEL_NAME)
    .option('--quantisation <name>', SYNTHETIC_QUANTISATIONS.join(', '), SYNTHETIC_QUANTISATIONS[0])
    .option('--seed <number>', 'the same seed gives the same bytes', wholeNumber, DEFAULT_SEED)
    .option('--out <file>', 'write it there instead of into the cache')
    .action(async (name: string, options: { quantisation: string, seed: number, out?: string }) => {
      await withProgress(name, async onProgress => await synthesise(name, options, onProgress))
    })
  return models
}

async function synthesise (
  name: string, { quantisation: wanted, seed, out }: { quantisation: string, seed: number, out?: string }, onProgress: OnProgress
): Promise<[string, string]> {
  const entry = findModel(name)
  if (entry.kind !== 'synthetic') throw new Error(`${entry.name} has real weights; its synthetic twin is ${entry.name}-twin`)
  if (out === undefined) {
    const file = await ensureModel(name, { quantisation: wanted, seed, onProgress })
    return [file.path, `${name} ${file.quantisation} seed ${seed}, ${megabytes(file.bytes)}`]
  }
  const quantisation = SYNTHETIC_QUANTISATIONS.find(one => one.toLowerCase() === wanted.toLowerCase())
  if (quantisation === undefined) throw new Error(`--quantisation ${wanted}: there are ${SYNTHETIC_QUANTISATIONS.join(', ')}`)
  const { writeModel } = await import('./synth/write-model.js')
  const target = path.resolve(out)
  const { bytes } = await writeModel({ name: entry.name, shape: entry.shape, quantisation, seed }, target, (doneBytes, totalBytes) => {
    onProgress({ step: 'write', doneBytes, totalBytes })
  })
  return [target, `${name} ${quantisation} seed ${seed}, ${megabytes(bytes)}`]
}

async function withProgress (name: string, task: (onProgress: OnProgress) => Promise<[path: string, summary: string]>): Promise<void> {
  const spinner = ora({ text: name, stream: process.stderr }).start()
  try {
    const [file, summary] = await task(progress => { spinner.text = progressText(name, progress) })
    spinner.succeed(summary)
    process.stdout.write(`${file}\n`)
  } catch (error) {
    spinner.stop()
    throw error
  }
}

const DOING = { write: 'writing', download: 'downloading', checksum: 'checking' } as const

function progressText (name: string, { step, doneBytes, totalBytes }: Progress): string {
  return `${DOING[step]} ${name}  ${Math.floor(100 * doneBytes / totalBytes)} %  ${megabytes(doneBytes)} of ${megabytes(totalBytes)}`
}

function wholeNumber (text: string): number {
  if (!/^\d{1,10}$/.test(text) || Number(text) > 0xFFFFFFFF) throw new InvalidArgumentError('Give a whole number from 0 to 4294967295.')
  return Number(text)
}
