import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import OpenAI from 'openai'
import { chromium } from 'playwright-core'
import t from 'tap'
import { startGatewayCli, startRealServer } from './testing-real.js'

const run = promisify(execFile)

t.test('npx gateway: starts llama-server itself and answers curl', async t => {
  const gateway = await startGatewayCli(t, ['--model', 'tiny'])
  const { stdout } = await run('curl', ['-sS', '-m', '120', '-i', `${gateway.url}/v1/chat/completions`, '-H', 'content-type: application/json', '-d', '{"messages":[{"role":"user","content":"Hello"}],"max_tokens":8,"ignore_eos":true}'])
  t.match(stdout, /^HTTP\/1\.1 200/)
  t.match(stdout, /"completion_tokens":8\b/)
  const stream = await run('curl', ['-sS', '-N', '-m', '120', `${gateway.url}/v1/chat/completions`, '-H', 'content-type: application/json', '-d', '{"messages":[{"role":"user","content":"Hello"}],"max_tokens":8,"stream":true,"ignore_eos":true}'])
  t.match(stream.stdout, /data: \[DONE\]\n\n$/)
  t.equal(await gateway.stop(), 0, 'SIGTERM ends it cleanly')
})

t.test('the OpenAI SDK, streaming and not, models and an error', async t => {
  const server = await startRealServer(t, { slots: 2 })
  const gateway = await startGatewayCli(t, ['--upstream', server.url], { LLAMA_API_KEY: server.apiKey })
  const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 0 })
  const messages = [{ role: 'user' as const, content: 'Tell me of weirs' }]
  const whole = await client.chat.completions.create({ model: 'tiny', messages, max_tokens: 12, temperature: 0 })
  t.ok(whole.usage !== undefined && whole.usage.completion_tokens > 0)
  let chunks = 0
  let finish: string | null = null
  for await (const chunk of await client.chat.completions.create({ model: 'tiny', messages, max_tokens: 12, stream: true })) {
    chunks++
    finish = chunk.choices[0]?.finish_reason ?? finish
  }
  t.ok(chunks > 1)
  t.ok(finish === 'length' || finish === 'stop', `${finish}`)
  t.ok((await client.models.list()).data.length > 0)
  const tooLong = await client.chat.completions.create({ model: 'tiny', messages: [{ role: 'user', content: 'word '.repeat(5000) }], max_tokens: 4 }).catch((error: unknown) => error)
  t.ok(tooLong instanceof OpenAI.BadRequestError, String(tooLong))
})

t.test('a page of llama-server\'s own works through the gateway in Chromium', async t => {
  const folder = t.testdir()
  // Debian's llama-server comes without its web page (its files are a download of their own), so it serves this one by --path: it
  // asks for what that page asks for, with the same relative URLs.
  writeFileSync(`${folder}/index.html`, `<!doctype html><title>chat</title><p id="props"></p><p id="out"></p><script type="module">
    const props = await (await fetch('./props')).json()
    document.querySelector('#props').textContent = props.total_slots
    const answer = await fetch('./v1/chat/completions', { method: 'POST', headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ messages: [{ role: 'user', content: 'Hello' }], stream: true, max_tokens: 16, ignore_eos: true, timings_per_token: true, temperature: 0, grammar: 'root ::= [a-z]+' }) })
    let text = ''
    for (const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();;) {
      const { done, value } = await reader.read()
      if (done) break
      text += value
    }
    document.querySelector('#out').textContent = text.endsWith('data: [DONE]\\n\\n') ? text.split('data: ').length : 'cut'
    document.title = 'done'
  </script>`)
  const server = await startRealServer(t, { slots: 2, extraArgs: ['--path', folder] })
  const gateway = await startGatewayCli(t, ['--upstream', server.url], { LLAMA_API_KEY: server.apiKey })
  const browser = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    timeout: 180_000,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']
  })
  t.teardown(() => browser.close())
  const page = await browser.newPage()
  page.setDefaultTimeout(120_000)
  await page.goto(`${gateway.url}/`)
  await page.waitForFunction('document.title === "done"', undefined, { timeout: 120_000 })
  t.equal(await page.textContent('#props'), '2')
  t.ok(Number(await page.textContent('#out')) > 16, 'an event for each token')
})
