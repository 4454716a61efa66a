import { rm, truncate, writeFile } from 'node:fs/promises'
import { parseKeyed, readText } from '../probes/read-text.js'
import type { Knob, KnobKind } from './contract.js'
import { groupOf } from './group-setting.js'
import { assertAtWork, startHog } from './hog.js'
import type { Hog } from './hog.js'
import { residencyOf, residencyText } from './residency.js'
import { badValue, bytesOf, shown } from './values.js'

const name = 'page-cache-hog'
const CHUNK_BYTES = 16 * 1024 ** 2
/** An hour, in pauses of 0.1 s. */
const CHUNKS_AT_MOST = 36_000
/** At most 160 MiB/s, so that it takes page cache and (nearly) no CPU. */
const SCRIPT = `i=0; while [ $i -lt ${CHUNKS_AT_MOST} ]; do dd if="$1" of=/dev/null bs=1M count=16 skip=$((i % $2 * 16)) 2>/dev/null || exit 1; i=$((i + 1)); sleep 0.1; done`

/**
 * A process that streams a file through the page cache, round and round. The file is one long hole: it fills page cache like any other,
 * but no disk is read, so that a slower llama-server is not the work of a busy disk.
 */
export const pageCacheHog: KnobKind = {
  name,
  value: 'BYTES[@group]',
  describe: 'a process that reads a file of this size round and round through the page cache, 160 MiB/s at most, no disk IO; with @group inside llama-server\'s group, so that its limit counts it',
  parse (value) {
    const [size = '', where, ...more] = value.split('@')
    if (more.length > 0 || (where !== undefined && where !== 'group')) throw badValue(name, value, `must be BYTES or BYTES@group, as in ${name}=512M@group`)
    const bytes = Math.ceil(bytesOf(name, size, CHUNK_BYTES) / CHUNK_BYTES) * CHUNK_BYTES
    return hogOf(`${name}=${value}`, bytes, where === 'group')
  }
}

function hogOf (spec: string, bytes: number, inGroup: boolean): Knob {
  let hog: Hog | undefined
  return {
    spec,
    name,
    title: `page-cache hog of ${shown(bytes)} ${inGroup ? 'inside' : 'outside'} llama-server's group`,
    controllers: inGroup ? ['memory'] : [],
    async running (at) {
      const file = fileIn(at.folder)
      await writeFile(file, '')
      await truncate(file, bytes)
      const running = await startHog({
        what: spec,
        script: SCRIPT,
        args: [file, String(bytes / CHUNK_BYTES)],
        cpus: at.clientCpus,
        ...(inGroup ? { enter: groupOf(spec, at).enter } : {}),
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
      await assertAtWork(hog, spec, () => parseKeyed(readText(`/proc/${pid}/io`) ?? '').get('rchar') ?? 0, CHUNK_BYTES)
      if (inGroup && !(await groupOf(spec, at).processes()).includes(pid)) throw new Error(`${spec}: the hog (process ${pid}) is not in llama-server's group ${at.group?.path}`)
      const residency = await residencyOf(fileIn(at.folder), at.signal)
      if (residency.residentBytes === 0) throw new Error(`${spec}: nothing of ${fileIn(at.folder)} stays in the page cache; holes do not on tmpfs: put the run folder on a disk (--out)`)
      return { 'page-cache hog': `process ${pid}, ${inGroup ? 'in the group' : 'outside'}, its file resident: ${residencyText(residency)}` }
    }
  }
}

function fileIn (folder: string): string {
  return `${folder}/${name}.bin`
}
