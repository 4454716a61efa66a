import { rm } from 'node:fs/promises'
import { parseKeyed, readText } from '../probes/read-text.js'
import type { Knob, KnobKind } from './contract.js'
import { assertAtWork, startHog } from './hog.js'
import type { Hog } from './hog.js'
import { runProgram } from './run-program.js'
import { badValue, shown } from './values.js'

const name = 'disk-hog'
const FILE_MIB = 256
/** One pass is 256 MiB. Reading ends after an hour at the latest; writing, which wears disks, after ten minutes or 64 GiB. */
const KINDS = {
  read: { script: passes('dd if="$1" of=/dev/null bs=1M iflag=direct status=none', 3600, 1_000_000), counter: 'read_bytes', title: 'reads' },
  write: { script: passes(`dd if=/dev/zero of="$1" bs=1M count=${FILE_MIB} oflag=direct conv=notrunc status=none`, 600, 64 * 4), counter: 'write_bytes', title: 'writes' }
} as const
type Kind = keyof typeof KINDS

function passes (pass: string, seconds: number, atMost: number): string {
  return `end=$(($(date +%s) + ${seconds})); i=0; while [ $(date +%s) -lt $end ] && [ $i -lt ${atMost} ]; do ${pass} || exit 1; i=$((i + 1)); done`
}

/** A process that keeps the disk of the run folder busy with direct IO, past the page cache. */
export const diskHog: KnobKind = {
  name,
  value: 'read|write',
  describe: 'a process that reads or writes 256 MiB in the run folder round and round with direct IO, 1 MiB at a time; writing ends after 10 minutes or 64 GiB',
  parse (value) {
    if (value !== 'read' && value !== 'write') throw badValue(name, value, 'allowed are read and write')
    return hogOf(value)
  }
}

function hogOf (kind: Kind): Knob {
  const spec = `${name}=${kind}`
  const { script, counter, title } = KINDS[kind]
  let hog: Hog | undefined
  return {
    spec,
    name,
    title: `disk hog that ${title}`,
    controllers: [],
    async before ({ folder, signal }) {
      // Real bytes: holes and unwritten extents are read without the disk.
      await runProgram(['dd', 'if=/dev/urandom', `of=${fileIn(folder)}`, 'bs=1M', `count=${FILE_MIB}`, 'oflag=direct', 'status=none'], signal)
        .catch(async (error: unknown) => { await rm(fileIn(folder), { force: true }); throw error })
      return () => rm(fileIn(folder), { force: true })
    },
    async running (at) {
      hog = await startHog({ what: spec, script, args: [fileIn(at.folder)], cpus: at.clientCpus, logPath: `${at.folder}/${name}.log` })
      return hog.stop
    },
    async readBack () {
      if (hog === undefined) throw new Error(`${spec}: it was not started`)
      const { pid } = hog
      // The shell's own counters take those of a dd in when it has ended.
      const bytes = await assertAtWork(hog, spec, () => parseKeyed(readText(`/proc/${pid}/io`) ?? '').get(counter) ?? 0, FILE_MIB * 1024 ** 2)
      return { 'disk hog': `process ${pid}, ${counter} grew by ${shown(bytes)}` }
    }
  }
}

function fileIn (folder: string): string {
  return `${folder}/${name}.bin`
}
