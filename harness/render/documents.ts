/** Where the mechanism of a claim is written down: by the claim's id. Paths are those of the kernel's source tree (docs.kernel.org has them), manual pages, or llama.cpp's. */
const V2 = 'Documentation/admin-guide/cgroup-v2.rst'
const BANDWIDTH = 'Documentation/scheduler/sched-bwc.rst (quota, period, nr_throttled, burst)'
const PSI = 'Documentation/accounting/psi.rst (pressure some and full)'
const FAIR = 'Documentation/scheduler/sched-design-CFS.rst and sched-eevdf.rst (who runs next, and by which weight)'
const AFFINITY = 'sched_setaffinity(2), sched(7) (CPUs that a thread may use; autogroups; the idle class)'
const COUNTERS = 'Documentation/filesystems/proc.rst (stat, status, schedstat, io of a process)'
const RECLAIM = `${V2}, “Memory” (memory.max, memory.stat workingset_refault_*, memory.events)`
const MAPPED = 'mmap(2), Documentation/admin-guide/mm/concepts.rst (page cache, reclaim), llama.cpp src/llama-mmap.cpp'
const BATCH = 'llama.cpp tools/server/README.md (slots, continuous batching, prompt cache, timings and /metrics)'

const DOCUMENTS: Readonly<Record<string, readonly string[]>> = {
  'context-length': [BATCH, COUNTERS],
  'output-length': [BATCH, COUNTERS],
  concurrency: [BATCH, COUNTERS],
  'model-bytes': [BATCH, COUNTERS],
  'thread-count': [FAIR, COUNTERS],
  'cold-file': [MAPPED, 'posix_fadvise(2), mincore(2) (what is in the page cache)', `${V2}, “IO” (io.max)`],
  'cold-process': [MAPPED, COUNTERS],
  'cold-prompt': [BATCH, COUNTERS],
  'slow-disk': [`${V2}, “IO” (io.max)`, PSI, 'Documentation/admin-guide/cgroup-v1/blkio-controller.rst (throttling: how reads are held back)'],
  'cpu-quota-stalls': [BANDWIDTH, `${V2}, “CPU” (cpu.max, cpu.stat)`, PSI],
  'cpu-burst-carries-a-call': [BANDWIDTH, `${V2}, “CPU” (cpu.max.burst)`],
  'threads-fit-the-quota': [BANDWIDTH, `${V2}, “CPU” (cpu.max, cpu.stat)`],
  'memory-limit-cliff': [RECLAIM, MAPPED, PSI],
  'memory-limit-kill': [`${V2}, “Memory” (memory.events oom_kill)`, 'Documentation/mm/unevictable-lru.rst (locked memory)', 'mlock(2)'],
  'memory-protect': [`${V2}, “Memory” (memory.low)`, RECLAIM],
  mlock: ['Documentation/mm/unevictable-lru.rst', 'mlock(2), proc(5) VmLck', RECLAIM],
  'no-swap': [`${V2}, “Memory” (memory.swap.max, workingset_refault_anon)`, 'Documentation/admin-guide/mm/concepts.rst'],
  'noisy-neighbour-takes-its-share': [FAIR, AFFINITY, COUNTERS],
  'noisy-neighbour-collapse': [FAIR, AFFINITY, COUNTERS],
  'pinning-away-from-the-hog': [AFFINITY, FAIR],
  'threads-as-many-as-free-cores': [FAIR, AFFINITY],
  'cpu-weight-keeps-the-cpu': [`${V2}, “CPU” (cpu.weight)`, FAIR],
  preload: [MAPPED, 'posix_fadvise(2), mincore(2) (what is in the page cache)'],
  'warmup-spares-the-first-request': [MAPPED, COUNTERS],
  'admission-keeps-capacity-good': [BATCH, 'ss(8) (established sockets)', COUNTERS],
  'admission-serves-all-lengths': [BATCH, 'ss(8) (established sockets)', COUNTERS],
  'overlap-fills-slots': [BATCH, 'llama.cpp tools/server/server-queue.cpp (tasks are taken up between two steps)', 'ss(8) (established sockets)', COUNTERS],
  'retry-after-is-kept': ['RFC 9110, section 10.2.3 (Retry-After)', BATCH, COUNTERS],
  'retry-after-is-capped': ['RFC 9110, section 10.2.3 (Retry-After)', BATCH],
  'fair-shares-of-a-full-server': ['Sheng et al., Fairness in Serving Large Language Models, OSDI 2024 (virtual token counter)', 'Jain, Chiu & Hawe, A Quantitative Measure of Fairness, DEC-TR-301, 1984', BATCH, 'ss(8) (established sockets)'],
  'fair-shares-hold': ['Sheng et al., Fairness in Serving Large Language Models, OSDI 2024 (virtual token counter)', BATCH, 'ss(8) (established sockets)'],
  'batching-joins-tiny-inputs': [BATCH, COUNTERS],
  'zombies-keep-their-places': [BATCH, 'tcp(7) (CLOSE_WAIT), ss(8)'],
  'prompt-cap-protects-the-rest': [BATCH, COUNTERS],
  'prediction-holds-four-in-five': [BATCH],
  'prefix-cache': [BATCH],
  'preemptible-prefill': [BATCH],
  'preemptible-prefill-control': [BATCH],
  'preemptible-prefill-at-light-load': [BATCH],
  'shortest-prefill': [BATCH],
  'prefill-lane': [BATCH],
  'response-cache-saves-repeated-work': [BATCH, COUNTERS],
  'single-flight-asks-once': [BATCH, 'ss(8) (established sockets)', COUNTERS]
}

/** Undefined for a claim that nobody named documents for: a stored run of another version. */
export function documentsOf (claim: string): readonly string[] | undefined {
  return DOCUMENTS[claim]
}
