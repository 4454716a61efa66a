import t from 'tap'
import { bestCpuVariant, cpuFlags } from './cpu-variant.js'

const x64 = ['x64', 'sse42', 'sandybridge', 'ivybridge', 'piledriver', 'haswell', 'alderlake', 'skylakex', 'cannonlake', 'cascadelake', 'icelake', 'cooperlake', 'zen4', 'sapphirerapids']
const arm = ['armv8.0_1', 'armv8.2_1', 'armv8.2_2', 'armv8.2_3', 'armv8.6_1', 'armv8.6_2', 'armv9.2_1', 'armv9.2_2']

const haswell = 'fpu lm sse4_1 sse4_2 avx f16c fma avx2 bmi1 bmi2'
const skylakex = `${haswell} avx512f avx512dq avx512cd avx512bw avx512vl`
const zen4 = `${skylakex} avx512ifma avx512vbmi avx512_vnni avx512_bf16`

function best (flags: string, available = [...x64, ...arm]): string | undefined {
  return bestCpuVariant(new Set(flags.split(' ')), available)
}

t.test('the best variant whose needs are all there', async t => {
  t.equal(best('lm'), 'x64')
  t.equal(best('lm sse4_2'), 'sse42')
  t.equal(best('lm sse4_2 avx'), 'sandybridge')
  t.equal(best(haswell), 'haswell')
  t.equal(best(`${haswell} avx_vnni`), 'alderlake')
  t.equal(best(skylakex), 'skylakex')
  t.equal(best(`${skylakex} avx512_vnni`), 'cascadelake')
  t.equal(best(`${skylakex} avx512_vnni avx512_bf16`), 'cooperlake')
  t.equal(best(`${skylakex} avx512_vnni avx512vbmi`), 'icelake')
  t.equal(best(zen4), 'zen4')
  t.equal(best(`${zen4} avx_vnni`), 'zen4', 'Zen 5')
  t.equal(best(`${zen4} avx_vnni amx_tile`), 'zen4', 'one need of two is not enough')
  t.equal(best(`${zen4} avx_vnni amx_tile amx_int8`), 'sapphirerapids')
  t.equal(best('fp asimd'), 'armv8.0_1')
  t.equal(best('fp asimd asimdhp asimddp'), 'armv8.2_2', 'Graviton 2')
  t.equal(best('fp asimd asimdhp asimddp sve i8mm'), 'armv8.6_1', 'Graviton 3')
})

t.test('a hypervisor that hides one AVX-512 part rules all of AVX-512 out', async t => {
  t.equal(best(zen4.replace('avx512vl ', '')), 'haswell')
})

t.test('only what is available counts', async t => {
  t.equal(best(zen4, ['haswell', 'x64', 'unheard-of']), 'haswell')
  t.equal(best('lm', ['haswell', 'unheard-of']), undefined)
  t.equal(best('', x64), undefined)
})

t.test('flags are those that every CPU has', async t => {
  t.strictSame([...cpuFlags('processor\t: 0\nflags\t\t: lm avx avx2\nbugs\t: x\nvmx flags\t: ept\n\nprocessor\t: 1\nflags\t\t: lm avx\n')], ['lm', 'avx'])
  t.strictSame([...cpuFlags('processor\t: 0\nFeatures\t: fp asimd\n')], ['fp', 'asimd'])
  t.equal(cpuFlags('').size, 0)
})
