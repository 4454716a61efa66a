import { readFileSync } from 'node:fs'
import { gunzipSync, gzipSync } from 'node:zlib'
import { packageRoot } from '../package-root.js'
import type { Evidence } from '../types.js'
import { migrateEvidence } from './migrate.js'

/** 40 blocks of equal arms on a real llama-server, measured once by `harness selftest --record 20`. */
export const shippedBank = `${packageRoot()}/bench/measured/a-a.json.gz`

/** @throws when the file cannot be read or is no bank */
export function readBank (file: string): Evidence {
  return migrateEvidence(JSON.parse(gunzipSync(readFileSync(file)).toString())) as Evidence
}

/** What the relabelling needs: plan, manifest, block stamps and calls; not the OS samples, the gateway's log and the machine's paths. */
export function packBank (evidence: Evidence): Buffer {
  const blocks = evidence.blocks.map(block => ({ ...block, evidence: { ...block.evidence, serverCommandLine: [] }, samples: [], records: [] }))
  return gzipSync(JSON.stringify({ ...evidence, blocks }))
}
