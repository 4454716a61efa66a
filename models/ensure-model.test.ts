import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { appendFileSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { cacheDir } from './cache.js'
import { CATALOGUE } from './catalogue.js'
import { modelsCommand } from './cli.js'
import { ensureModel } from './ensure-model.js'
import { listText } from './list.js'

t.beforeEach(t => { process.env['WEIR_CACHE'] = t.testdir({ cache: {} }) })

t.test('names are unique, lower case, and checksums are whole', async t => {
  t.equal(new Set(CATALOGUE.map(({ name }) => name)).size, CATALOGUE.length)
  for (const entry of CATALOGUE) {
    t.match(entry.name, /^[a-z0-9.-]+$/)
    if (entry.kind === 'hub') {
      t.match(entry.revision, /^[0-9a-f]{40}$/)
      for (const { sha256, file } of entry.files) t.match([sha256, file], [/^[0-9a-f]{64}$/, /\.gguf$/])
    } else {
      const { embedding, feedForward, heads, kvHeads, contextTokens } = entry.shape
      t.same([embedding % 32, feedForward % 32, embedding % heads, heads % kvHeads], [0, 0, 0, 0], entry.name)
      t.ok(contextTokens >= 8192)
    }
  }
})

t.test('a synthetic model is written once', async t => {
  const seen = new Set<string>()
  const model = await ensureModel('Tiny', { onProgress: ({ step }) => seen.add(step) })
  t.match(model, { name: 'tiny', quantisation: 'Q8_0', synthetic: true, seed: 1, parameters: 1_115_008 })
  t.same([...seen], ['write'])
  t.equal(model.path.startsWith(cacheDir('models')), true)
  t.equal(createHash('sha256').update(readFileSync(model.path)).digest('hex'), model.sha256)
  const { ino } = statSync(model.path)
  const again = await ensureModel('tiny', { onProgress: () => t.fail('nothing to do') })
  t.same(again, model)
  t.equal(statSync(model.path).ino, ino)
  t.not((await ensureModel('tiny', { quantisation: 'q4_0', seed: 2 })).path, model.path)
})

t.test('an altered synthetic model is written again', async t => {
  const model = await ensureModel('tiny')
  appendFileSync(model.path, 'x')
  t.same(await ensureModel('tiny'), model)
  t.equal(statSync(model.path).size, model.bytes)
})

t.test('a file of the caller: its header is believed, its checksum taken once', async t => {
  t.match(await ensureModel('tiny:q4_0'), { name: 'tiny:q4_0', quantisation: 'Q4_0', seed: 1 }, 'named as asked for')
  await t.rejects(ensureModel('tiny:Q3'), /tiny: no quantisation "Q3"; there are/)
  await t.rejects(ensureModel('tiny:Q4_0', { quantisation: 'F16' }), /tiny:Q4_0: quantisation F16 is asked for, too/)
  const written = await ensureModel('tiny', { quantisation: 'F16', seed: 5 })
  const own = path.join(t.testdirName, 'own.gguf')
  writeFileSync(own, readFileSync(written.path))
  const seen: string[] = []
  const model = await ensureModel(own, { onProgress: ({ step }) => seen.push(step) })
  t.match(model, { name: 'own', path: own, bytes: written.bytes, sha256: written.sha256, parameters: written.parameters, quantisation: 'F16', synthetic: true, seed: 5 })
  t.ok(seen.length > 0)
  await ensureModel(own, { onProgress: () => t.fail('not read again') })
  utimesSync(own, 1, 1)
  let steps = 0
  await ensureModel(own, { onProgress: () => steps++ })
  t.ok(steps > 0, 'another time of change: read again')
  await t.rejects(ensureModel(own, { quantisation: 'Q4_0' }), /is a file: quantisation Q4_0 cannot be chosen/)
  writeFileSync(own, 'hello')
  await t.rejects(ensureModel(own), /own\.gguf: no GGUF file/)
  await t.rejects(ensureModel('./nowhere.gguf'), /nowhere\.gguf: cannot be opened/)
})

t.test('what there is not is answered with what there is', async t => {
  await t.rejects(ensureModel('gpt'), /no model "gpt": there are smollm2-135m-twin, .*tiny.*; or give the path of a .gguf file/)
  await t.rejects(ensureModel('tiny', { quantisation: 'Q3' }), /tiny: no quantisation "Q3"; there are Q8_0, Q4_0, F16/)
  await t.rejects(ensureModel('smollm2-135m', { seed: 1 }), /smollm2-135m has real weights, seed 1 means nothing/)
  await t.rejects(ensureModel('tiny', { seed: 1.5 }), /seed 1.5 is not allowed/)
})

t.test('a hub model is asked for at its commit', async t => {
  const asked: (string | undefined)[] = []
  const server = http.createServer((request, response) => {
    asked.push(request.url)
    response.writeHead(404).end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    delete process.env['HF_ENDPOINT']
    server.closeAllConnections()
    server.close()
  })
  process.env['HF_ENDPOINT'] = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  await t.rejects(ensureModel('smollm2-135m', { quantisation: 'q4_k_m' }), /HTTP 404: the hub has no such file/)
  t.same(asked, ['/bartowski/SmolLM2-135M-Instruct-GGUF/resolve/09816acd5d99df7be770d85ea30822623dab342c/SmolLM2-135M-Instruct-Q4_K_M.gguf'])
})

t.test('the list names all models in 80 columns and marks what is here', async t => {
  t.notMatch(listText(), /_0\*/)
  await ensureModel('tiny')
  const text = listText()
  for (const { name } of CATALOGUE) t.match(text, `  ${name} `)
  t.match(text, /tiny +1\.1M +1\.2 MB +Q8_0\* Q4_0 F16/)
  t.same(text.split('\n').filter(line => line.length > 80 && line !== cacheDir('models')), [])
  t.same(await run('list'), { stdout: text, stderr: '' })
})

t.test('synth writes where it is told and says where', async t => {
  const target = path.join(t.testdirName, 'here', 'm.gguf')
  const { stdout, stderr } = await run('synth', 'tiny', '--seed', '9', '--quantisation', 'q4_0', '--out', target)
  t.equal(stdout, `${target}\n`)
  t.match(stderr, 'tiny Q4_0 seed 9, 0.7 MB')
  t.match(await ensureModel(target), { quantisation: 'Q4_0', seed: 9 })
  await t.rejects(modelsCommand().parseAsync(['synth', 'smollm2-135m'], { from: 'user' }), /smollm2-135m has real weights; its synthetic twin is smollm2-135m-twin/)
})

/** In a process of its own, for stdout is where this test reports. */
async function run (...args: string[]): Promise<{ stdout: string, stderr: string }> {
  const script = `import { modelsCommand } from '${new URL('cli.js', import.meta.url)}'
    await modelsCommand().parseAsync(process.argv.slice(1), { from: 'user' })`
  return await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, ...args])
}
