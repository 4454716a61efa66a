import type { VmRunOptions } from '../vm/types.js'
import type { ExperimentInput } from './experiment.js'

/** Sizes of the VM that an experiment asks for. */
export type VmSizes = Partial<Pick<VmRunOptions, 'memoryMb' | 'cpus' | 'swapMb'>>

/** An experiment as it was asked for, before where it runs and what becomes of it. */
export interface PlannedRun {
  readonly input: Omit<ExperimentInput, 'folder' | 'signal' | 'progress'>
  /** Command line of this run in a VM, but for where and on which model and llama-server. */
  readonly argsInVm: readonly string[]
  readonly vm: VmSizes
}

/** Where a run is measured; `why` is set where `auto` chose. */
export interface HostOfRun {
  readonly host: 'local' | 'vm'
  readonly why?: string
}
