import { availableParallelism } from 'node:os'
import { cacheFolder } from '../models/cache.js'
import { DEFAULT_MODEL_NAME } from '../models/catalogue.js'
import { ensureModel } from '../models/ensure-model.js'
import { ensureServer } from '../models/install/index.js'
import { startServer } from '../models/start.js'
import type { Config } from './config-schema.js'
import { keepServer } from './kept-server.js'
import type { KeptServer } from './kept-server.js'

/**
 * Finds or installs llama-server and a model, starts it on loopback with a key of its own, and again there when it ends unasked.
 * @param onProgress one line for each step
 * @throws Error that says what was tried
 */
export async function launchServer (settings: Config['server'], onProgress: (line: string) => void): Promise<KeptServer> {
  const binary = await ensureServer({ onProgress, ...(settings.binary === undefined ? {} : { explicit: settings.binary }) })
  let lastStep = ''
  const model = await ensureModel(settings.model ?? DEFAULT_MODEL_NAME, {
    onProgress ({ step, doneBytes, totalBytes }) {
      const tenth = `${step} ${Math.floor(10 * doneBytes / totalBytes) * 10} %`
      if (tenth !== lastStep) onProgress(`model ${settings.model ?? DEFAULT_MODEL_NAME}: ${tenth}`)
      lastStep = tenth
    }
  })
  const threads = settings.threads ?? Math.max(1, availableParallelism() - 1)
  onProgress(`starting llama-server ${binary.version} with ${model.name}${model.synthetic ? ' (synthetic: its text is nonsense)' : ''}, ${settings.slots} slots, ${threads} threads`)
  const options = {
    binary,
    model,
    slots: settings.slots,
    slotContextTokens: settings.slotContextTokens,
    threads,
    batchTokens: settings.batchTokens,
    cacheRamMib: settings.cacheRamMib,
    extraArgs: settings.extraArgs,
    logPath: `${cacheFolder()}/logs/llama-server-${process.pid}.log`
  }
  const first = await startServer(options)
  const { url, apiKey } = first
  const choosePort = async (): Promise<number> => Number(new URL(url).port)
  return keepServer(first, { say: onProgress, again: signal => startServer(options, { signal, apiKey, choosePort }) })
}
