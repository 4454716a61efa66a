import type { Manifest } from '../types.js'

/** Of the machine, model and server that simulated runs say they ran on. For tests only. */
export const simulatedManifest: Manifest = {
  weirVersion: '0.1.0',
  node: 'v20.19.0',
  kernel: 'Linux 6.8',
  cpuModel: 'simulated',
  cpus: 2,
  memoryBytes: 1,
  virtualisation: 'none',
  cgroup: 'v2',
  model: { name: 'twin', path: 'twin.gguf', bytes: 1, sha256: '0', parameters: 1, quantisation: 'Q8_0', synthetic: true, seed: 1 },
  server: { version: 'b1', from: 'PATH', slots: 1, threads: 1, batchTokens: 512, slotContextTokens: 512 },
  placement: { serverCpus: [1], clientCpus: [0], note: '' },
  missing: []
}
