import { readFileSync, writeFileSync } from 'node:fs'
import { readText } from '../probes/read-text.js'
import type { KnobKind } from './contract.js'
import { noValue } from './values.js'

const name = 'no-thp'
const FILE = '/sys/kernel/mm/transparent_hugepage/enabled'

/** Huge pages round anonymous memory up by as much as 2 MiB a mapping, as free memory happens to lie: a predicted working set needs them gone. */
export const noThp: KnobKind = {
  name,
  value: '',
  describe: 'no transparent huge pages while the block lasts, of the whole machine (needs root): the same llama-server then takes the same memory each time',
  parse (value) {
    noValue(name, value)
    return {
      spec: name,
      name,
      title: 'no transparent huge pages',
      controllers: [],
      calibrated: true,
      async before () {
        const former = modeIn(readFileSync(FILE, 'utf8'))
        try {
          writeFileSync(FILE, 'never')
        } catch (error) {
          throw new Error(`${name}: never cannot be written to ${FILE} (${error instanceof Error ? error.message : String(error)}). To mend: run it as root, or in the VM (--host vm)`)
        }
        return async () => writeFileSync(FILE, former)
      },
      async readBack () {
        const mode = modeIn(readText(FILE) ?? '')
        if (mode !== 'never') throw new Error(`${name}: ${FILE} says ${mode || 'nothing'}, not never`)
        return { 'transparent huge pages': mode }
      }
    }
  }
}

/** `always [madvise] never` → `madvise` */
export function modeIn (text: string): string {
  return /\[(\w+)\]/.exec(text)?.[1] ?? ''
}
