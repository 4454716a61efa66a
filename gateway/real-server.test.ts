import t from 'tap'
import { startGatewayCli, startRealServer } from './testing-real.js'

/**
 * The one test of `npm test` in which gateway and llama-server are both real: the same question straight and through the gateway.
 */
t.test('text, usage and finish_reason are those of a direct call, streamed or not', async t => {
  const server = await startRealServer(t, { slots: 1 })
  const gateway = await startGatewayCli(t, ['--upstream', server.url], { LLAMA_API_KEY: server.apiKey })
  for (const stream of [false, true]) {
    const body = JSON.stringify({ messages: [{ role: 'user', content: 'The quick brown fox' }], max_tokens: 24, temperature: 0, cache_prompt: false, ignore_eos: true, stream, ...(stream ? { stream_options: { include_usage: true } } : {}) })
    const ask = async (url: string): Promise<Response> => await fetch(`${url}/v1/chat/completions`, { method: 'POST', body, headers: { 'content-type': 'application/json', authorization: `Bearer ${server.apiKey}` } })
    const [direct, through] = [await ask(server.url), await ask(gateway.url)]
    t.equal(through.status, 200)
    t.equal(through.headers.get('content-type'), direct.headers.get('content-type'))
    t.ok(through.headers.get('x-weir-id'))
    t.match(through.headers.get('server-timing'), /queue;dur=/)
    t.strictSame(essence(await through.text()), essence(await direct.text()), stream ? 'streamed' : 'whole')
  }
})

interface Choice { readonly message?: { readonly content: string }, readonly delta?: { readonly content?: string | null }, readonly finish_reason: string | null }
interface Completion { readonly choices: readonly Choice[], readonly usage?: unknown }

/** What a client reads; not ids, times and speeds. */
function essence (text: string): { readonly content: string, readonly finish: readonly string[], readonly usage: unknown, readonly done: boolean } {
  const events = text.startsWith('data: ')
    ? text.split('\n\n').filter(part => part.startsWith('data: {')).map(part => JSON.parse(part.slice(6)) as Completion)
    : [JSON.parse(text) as Completion]
  const choices = events.flatMap(event => event.choices)
  const content = choices.map(choice => choice.message?.content ?? choice.delta?.content ?? '').join('')
  if (content === '') throw new Error(`no content in ${text}`)
  return {
    content,
    finish: choices.flatMap(choice => choice.finish_reason ?? []),
    usage: events.findLast(event => event.usage != null)?.usage,
    done: text.endsWith('data: [DONE]\n\n')
  }
}
