import { once } from 'node:events'
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Ajv } from 'ajv'
import t from 'tap'
import { spawnGuarded } from '../../models/testing-programs.js'
import { packageRoot } from '../package-root.js'
import { resultSchema } from '../result-schema.js'
import type { BlockEvidence, StreamsPlan, StreamsResult } from '../types.js'

const program = fileURLToPath(new URL('../cli.js', import.meta.url))

/** The smallest sweep there is, on the fake llama-server: threads change nothing there. */
const sweep = {
  kind: 'sweep',
  name: 'tiny-sweep',
  question: 'Do threads of a fake do anything?',
  model: 'tiny',
  workload: { kind: 'streams', calls: 1, predictTokens: 20, promptWords: 4 },
  baseline: 't1',
  cells: [{ id: 't1', threads: 1, factors: { threads: 1 } }, { id: 't2', threads: 2, factors: { threads: 2 } }, { id: 'c3', threads: 1, workload: { clients: 3, cachePrompt: true } }],
  outcomes: ['tokens-per-second', 'request-latency-p50'],
  repeats: { smoke: 1, laptop: 1, overnight: 1 }
}

async function harness (args: readonly string[], env: NodeJS.ProcessEnv): Promise<{ readonly code: number | null, readonly out: string, readonly err: string }> {
  const child = await spawnGuarded(process.execPath, [program, ...args], { ...process.env, ...env })
  const text = { out: '', err: '' }
  child.stdout.on('data', (data: Buffer) => { text.out += data.toString() })
  child.stderr.on('data', (data: Buffer) => { text.err += data.toString() })
  await once(child, 'close')
  return { code: child.exitCode, ...text }
}

t.test('a sweep from its file to its report', async t => {
  const folder = t.testdir({ 'sweep.json': JSON.stringify(sweep) })
  const fake = `${folder}/llama-server`
  writeFileSync(fake, `#!/bin/sh\nexec ${process.execPath} ${packageRoot()}/dist/models/fake/cli.js "$@"\n`)
  chmodSync(fake, 0o755)
  mkdirSync(`${folder}/cache`)
  const env = { WEIR_CACHE: `${folder}/cache`, FAKE_DECODE_MS_PER_TOKEN: '2' }
  const { code, out, err } = await harness(['run', `${folder}/sweep.json`, '--preset', 'smoke', '--seed', '5', '--llama-server', fake, '--out', `${folder}/run`], env)
  t.equal(code, 0, err)
  t.match(err, /tiny, 1 threads, undisturbed: [\d.]+ tokens\/s/)
  t.match(err, /one repeat describes; it carries no verdict/)
  t.match(err, /not supported by this plan: p99 of the gaps of a block \(needs 299, 19 expected\)/)
  t.ok(out.split('\n').every(line => line.length <= 80 || line.startsWith('Report: ')), 'nothing wider than 80 columns')

  const plan = JSON.parse(readFileSync(`${folder}/run/plan.json`, 'utf8')) as StreamsPlan
  t.match(plan, { design: 'sweep', conditions: [{ id: 't1' }, { id: 't2', baseline: 't1' }, { id: 'c3', workload: { clients: 3, cachePrompt: true } }], calibration: { servers: [{ model: 'tiny', threads: 1 }, { threads: 2 }] } })
  t.same(readdirSync(`${folder}/run/blocks`).sort(), plan.blocks.map(block => `0${block.index}-${block.condition}`))
  const result = JSON.parse(readFileSync(`${folder}/run/result.json`, 'utf8')) as StreamsResult
  const validate = new Ajv({ strict: true }).compile(resultSchema)
  t.ok(validate(result), JSON.stringify(validate.errors))
  t.equal(result.complete, true)
  t.ok(result.blocks.every(block => block.valid && block.answered === (block.condition === 'c3' ? 3 : 1) && block.failed === 0))
  t.same(result.contrasts.map(contrast => contrast.id), ['tokens-per-second:t2', 'request-latency-p50:t2', 'tokens-per-second:c3', 'request-latency-p50:c3'])
  for (const name of readdirSync(`${folder}/run/blocks`)) {
    const { serverCommandLine } = JSON.parse(readFileSync(`${folder}/run/blocks/${name}/block.json`, 'utf8')) as BlockEvidence
    t.match(serverCommandLine.join(' '), / -np 3 /, 'a server for the most clients of any condition')
  }

  const twice = await harness(['run', `${folder}/sweep.json`, '--preset', 'smoke', '--repeats', '2', '--llama-server', fake, '--out', `${folder}/twice`], env)
  t.match(twice.err, /6 blocks, .*\n2 repeats describe/)

  const again = await harness(['report', `${folder}/run`, '--json'], env)
  t.same(JSON.parse(again.out), result)
})
