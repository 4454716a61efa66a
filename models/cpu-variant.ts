/** What each ggml CPU backend variant needs, best first: the order of `ggml_backend_score`, the table of ggml's `src/CMakeLists.txt`. */
const x64Base = ['sse4_2', 'avx', 'f16c', 'fma', 'avx2', 'bmi2']
const avx512 = [...x64Base, 'avx512f', 'avx512bw', 'avx512cd', 'avx512dq', 'avx512vl']
const armBase = ['asimddp', 'asimdhp']

const variants: ReadonlyArray<readonly [name: string, needs: readonly string[]]> = [
  ['sapphirerapids', [...avx512, 'avx512vbmi', 'avx512_vnni', 'avx512_bf16', 'amx_tile', 'amx_int8']],
  ['zen4', [...avx512, 'avx512vbmi', 'avx512_vnni', 'avx512_bf16']],
  ['cooperlake', [...avx512, 'avx512_vnni', 'avx512_bf16']],
  ['icelake', [...avx512, 'avx512vbmi', 'avx512_vnni']],
  ['cascadelake', [...avx512, 'avx512_vnni']],
  ['cannonlake', [...avx512, 'avx512vbmi']],
  ['skylakex', avx512],
  ['alderlake', [...x64Base, 'avx_vnni']],
  ['haswell', x64Base],
  ['piledriver', ['sse4_2', 'avx', 'f16c', 'fma']],
  ['ivybridge', ['sse4_2', 'avx', 'f16c']],
  ['sandybridge', ['sse4_2', 'avx']],
  ['sse42', ['sse4_2']],
  ['x64', ['lm']],
  ['armv9.2_2', [...armBase, 'sve', 'i8mm', 'sve2', 'sme']],
  ['armv9.2_1', [...armBase, 'sve', 'i8mm', 'sme']],
  ['armv8.6_2', [...armBase, 'sve', 'i8mm', 'sve2']],
  ['armv8.6_1', [...armBase, 'sve', 'i8mm']],
  ['armv8.2_3', [...armBase, 'sve']],
  ['armv8.2_2', armBase],
  ['armv8.2_1', ['asimddp']],
  ['armv8.0_1', ['asimd']]
]

/** The instruction-set flags that every CPU in `/proc/cpuinfo` has: `flags` on x86, `Features` on ARM. */
export function cpuFlags (cpuinfo: string): ReadonlySet<string> {
  const perCpu = [...cpuinfo.matchAll(/^(?:flags|Features)[ \t]*:(.*)$/gm)].map(match => new Set((match[1] ?? '').trim().split(/\s+/)))
  const [first, ...others] = perCpu
  if (first === undefined) return new Set()
  return new Set([...first].filter(flag => others.every(flags => flags.has(flag))))
}

/**
 * The best of the `available` variants whose needs are all among `flags`; undefined if none is.
 * A variant that needs more than the CPU has would end in SIGILL, so a variant this table does not know is never chosen.
 */
export function bestCpuVariant (flags: ReadonlySet<string>, available: Iterable<string>): string | undefined {
  const present = new Set(available)
  return variants.find(([name, needs]) => present.has(name) && needs.every(need => flags.has(need)))?.[0]
}
