import { rm, truncate, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { parseKeyed, readText } from '../probes/read-text.js'
import type { BeforeServer, Knob, KnobKind } from './contract.js'
import { groupOf } from './group-setting.js'
import { assertAtWork, startHog } from './hog.js'
import type { Hog } from './hog.js'
import { residencyOf, residencyText } from './residency.js'
import { badValue, bytesOf, shown } from './values.js'

const name = 'page-cache-hog'
const CHUNK_BYTES = 16 * 1024 ** 2
/** An hour, in pauses of 0.1 s. */
const CHUNKS_AT_MOST = 36_000
/**
 * At most 160 MiB/s of new page cache, so that it takes that and (nearly) no CPU. Each chunk is read twice: a page that was read once stays on the kernel's inactive list and
 * is the first that reclaim takes, which spares two thirds of a model that was in use; read again it is active, as the pages of any program that works on a file are
 * (Documentation/admin-guide/mm/concepts.rst, mm/workingset.c). The file has no name while it works: nothing stays, however it ends.
 */
const SCRIPT = `exec 3<"$1" && rm "$1" || exit 1; i=0; while [ $i -lt ${CHUNKS_AT_MOST} ]; do for twice in 1 2; do dd if=/proc/$$/fd/3 of=/dev/null bs=1M count=16 skip=$((i % $2 * 16)) 2>/dev/null || exit 1; done; i=$((i + 1)); sleep 0.1; done`
/** Each byte of its file is read so many times before the next. */
const READS = 2

/**
 * A process that works on a file, chunk by chunk, round and round. The file is one long hole: it fills page cache like any other,
 * but no disk is read, so that a slower llama-server is not the work of a busy disk.
 */
export const pageCacheHog: KnobKind = {
  name,
  value: 'BYTES[@group|@beside]',
  describe: 'a process that reads a file of this size round and round through the page cache, each part twice, 160 MiB/s at most, no disk IO; with @group inside llama-server\'s group, so that its limit counts it, with @beside in the group beside it (common-limit)',
  parse (value) {
    const [size = '', where, ...more] = value.split('@')
    if (more.length > 0 || (where !== undefined && where !== 'group' && where !== 'beside')) throw badValue(name, value, `must be BYTES, BYTES@group or BYTES@beside, as in ${name}=512M@group`)
    const bytes = Math.ceil(bytesOf(name, size, CHUNK_BYTES) / CHUNK_BYTES) * CHUNK_BYTES
    return hogOf(`${name}=${value}`, bytes, where ?? 'outside')
  }
}

type Where = 'group' | 'beside' | 'outside'

const PLACES: Readonly<Record<Where, string>> = { group: 'inside llama-server\'s group', beside: 'in the group beside llama-server\'s', outside: 'outside llama-server\'s group' }

/** The group that the hog is in; undefined outside all of ours. */
function homeOf (spec: string, where: Where, at: BeforeServer): { readonly enter: readonly string[], processes (): number[] | Promise<number[]> } | undefined {
  if (where === 'outside') return undefined
  const group = groupOf(spec, at)
  if (where === 'group') return group
  if (group.beside === undefined) throw new Error(`${spec}: there is no group beside llama-server's; add the knob common-limit`)
  return group.beside
}

function hogOf (spec: string, bytes: number, where: Where): Knob {
  let hog: Hog | undefined
  return {
    spec,
    name,
    title: `page-cache hog of ${shown(bytes)} ${PLACES[where]}`,
    controllers: where === 'outside' ? [] : ['memory'],
    async running (at) {
      const file = await fileFor(at)
      await truncate(file, bytes)
      const running = await startHog({
        what: spec,
        script: SCRIPT,
        args: [file, String(bytes / CHUNK_BYTES)],
        cpus: at.clientCpus,
        enter: homeOf(spec, where, at)?.enter ?? [],
        logPath: `${at.folder}/${name}.log`
      })
      hog = running
      return async () => {
        try {
          await running.stop()
        } finally {
          await rm(file, { force: true })
        }
      }
    },
    async readBack (at) {
      if (hog === undefined) throw new Error(`${spec}: it was not started`)
      const { pid } = hog
      // Once round: what it can drive out has been.
      await assertAtWork(hog, spec, () => parseKeyed(readText(`/proc/${pid}/io`) ?? '').get('rchar') ?? 0, READS * bytes)
      const home = homeOf(spec, where, at)
      if (home !== undefined && !(await home.processes()).includes(pid)) throw new Error(`${spec}: the hog (process ${pid}) is not ${PLACES[where]} (${at.group?.path})`)
      const residency = await residencyOf(`/proc/${pid}/fd/3`, at.signal)
      if (residency.residentBytes === 0) throw new Error(`${spec}: nothing of its file stays in the page cache; holes do not on tmpfs, nor anything on 9p: put model or run folder on a disk`)
      return { 'page-cache hog': `process ${pid}, ${PLACES[where]}, its file resident: ${residencyText(residency)}` }
    }
  }
}

/** Beside the model, whose file system has a page cache, or else in the run folder. */
async function fileFor ({ folder, server }: BeforeServer): Promise<string> {
  const file = `weir-${name}-${process.pid}.bin`
  const beside = `${dirname(server.model.path)}/${file}`
  try {
    await writeFile(beside, '')
    return beside
  } catch {
    await writeFile(`${folder}/${file}`, '')
    return `${folder}/${file}`
  }
}
