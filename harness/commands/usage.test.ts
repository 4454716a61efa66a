import { accessSync, constants, readFileSync } from 'node:fs'
import t from 'tap'
import { main } from '../main.js'
import { packageRoot } from '../package-root.js'
import { harness as inItsOwnProcess } from './testing.js'

async function harness (...args: string[]): Promise<{ readonly code: number, readonly out: string, readonly err: string }> {
  const text = { out: '', err: '' }
  const code = await main(args, { writeOut: piece => { text.out += piece }, writeErr: piece => { text.err += piece } })
  return { code, ...text }
}

t.test('as it is typed: exit code and words are those of the function that the other tests call', async t => {
  const args = ['compare', '--policy', 'admision']
  const { code, err, out } = await inItsOwnProcess(args)
  t.same({ code, err, out }, await harness(...args))
  t.equal(code, 2)
})

t.test('what npx runs may be run, also after dist was made anew: npx makes it so only when it first sees the folder', async t => {
  const { bin } = JSON.parse(readFileSync(`${packageRoot()}/package.json`, 'utf8')) as { bin: Readonly<Record<string, string>> }
  t.same(Object.keys(bin).sort(), ['gateway', 'harness'])
  for (const file of Object.values(bin)) t.doesNotThrow(() => accessSync(`${packageRoot()}/${file}`, constants.X_OK), file)
})

t.test('a mistake is one clear line, exit code 2, no stack trace, nothing written', async t => {
  const folder = t.testdir({ full: { file: 'x' } })
  const cases: ReadonlyArray<readonly [readonly string[], RegExp]> = [
    [['compare'], /--policy/],
    [['compare', '--policy', 'admision'], /no such policy or mitigation: "admision"; there are admission, .*prompt-cap/],
    [['compare', '--policy', 'batching', '--rate', '4x'], /--rate: 4x is a rate of arrivals; the clients of batching ask when they were answered/],
    [['compare', '--policy', 'prefix-cache', '--rate', '4x'], /leave --rate away/],
    [['compare', '--policy', 'admission', '--rate', 'fast'], /--rate: "fast" is not a rate; give a multiple/],
    [['compare', '--policy', 'admission', '--mix', 'a'], /--mix part 1/],
    [['compare', '--policy', 'admission', '--slots', '0'], /Allowed are whole numbers from 1 to 64/],
    [['compare', '--policy', 'warmup', '--repeats', '0'], /'0' is invalid. Allowed are whole numbers from 1 to 200/],
    [['compare', '--policy', 'admission', '--preset', 'quick'], /Allowed choices are smoke, laptop, overnight/],
    [['compare', '--policy', 'admission', '--out', `${folder}/full`], /is not empty; give a new folder/],
    [['compare', '--policy', 'admission', '--polcy', 'x'], /unknown option '--polcy'/],
    [['compare', '--policy', 'admission', '--no-setting'], /--no-setting: admission has no interference that could be left out/],
    [['run', 'cpu-qota'], /no experiment "cpu-qota"; there are .*; or give the path of a \.json file/],
    [['run', 'admission'], /admission is a comparison; type: npx harness compare --policy admission/],
    [['run', 'cpu-quota', '--host', 'cloud'], /Allowed choices are auto, local, vm/],
    [['run', `${folder}/none.json`], /none\.json does not exist/],
    [['report', `${folder}/none`], /is not a run folder: it has no plan.json/],
    [['run', 'cpu-quota', '--cells', 't9'], /--cells: no such condition: "t9"; there are t1-none, /],
    [['plan', 'pining'], /the study has no experiment "pining"; it has .*pinning/],
    [['plan', 'memory-limit-v1'], /the study has no experiment "memory-limit-v1" \(memory-limit asks the same/],
    [['study', '--only', 'pining', '--out', `${folder}/s`], /the study has no experiment "pining"/],
    [['study', '--only', 'pinning', '--minutes', '20'], /--minutes: 20 has no effect with --only/],
    [['study', '--resume', `${folder}/full`], /--resume: .* is not a study folder: it has no study-plan\.json/],
    [['reprot'], /unknown command 'reprot'/]
  ]
  for (const [args, message] of cases) {
    const { code, err } = await harness(...args)
    t.equal(code, 2, args.join(' '))
    t.match(err, message)
    t.notMatch(err, /^ +at /m)
  }
})

t.test('a model or llama-server that is not there', async t => {
  const missing = await harness('compare', '--policy', 'admission', '--llama-server', '/nowhere/llama-server', '--out', `${t.testdir()}/run`)
  t.equal(missing.code, 1)
  t.match(missing.err, /\/nowhere\/llama-server/)
  t.notMatch(missing.err, /^ +at /m)
})

t.test('help fits 80 columns and names every command', async t => {
  const { code, out } = await harness('--help')
  t.equal(code, 0)
  for (const command of ['compare', 'run', 'study', 'plan', 'report', 'diff', 'doctor', 'selftest', 'models']) t.match(out, new RegExp(`\\b${command}\\b`))
  for (const args of [['--help'], ['compare', '--help'], ['run', '--help'], ['report', '--help'], ['study', '--help'], ['plan', '--help'], ['diff', '--help'], ['selftest', '--help'], ['models', '--help']]) {
    t.strictSame((await harness(...args)).out.split('\n').filter(line => line.length > 80), [], args.join(' '))
  }
})

t.test('doctor says what is lost by what is missing', async t => {
  const { code, out } = await inItsOwnProcess(['doctor'])
  t.equal(code, 0)
  t.match(out, /placement: /)
})
