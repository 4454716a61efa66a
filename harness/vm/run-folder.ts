import { rmSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { cacheFolder } from '../../models/cache.js'

export interface RunFolder {
  readonly path: string
  /** Idempotent; also done when our process exits. */
  remove (): Promise<void>
}

const prefix = 'run-'

/** A folder for the images of one VM, in the cache: /tmp may be memory. Folders of runs that were killed are removed. */
export async function makeRunFolder (env: NodeJS.ProcessEnv = process.env): Promise<RunFolder> {
  const parent = join(cacheFolder(env), 'vm')
  await mkdir(parent, { recursive: true })
  await removeAbandoned(parent)
  const path = await mkdtemp(join(parent, `${prefix}${process.pid}-`))
  const atExit = (): void => { rmSync(path, { recursive: true, force: true }) }
  process.on('exit', atExit)
  return {
    path,
    remove: async () => {
      await rm(path, { recursive: true, force: true })
      process.off('exit', atExit)
    }
  }
}

async function removeAbandoned (parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const [, pid] = new RegExp(`^${prefix}(\\d+)-`).exec(name) ?? []
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(parent, name), { recursive: true, force: true })
  }
}

function isAlive (pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
