import t from 'tap'
import { conversationOf, turnsOf } from './turns.js'

const system = { role: 'system', content: 's' }
const user = { role: 'user', content: 'u' }
const answer = { role: 'assistant', content: 'a' }
const call = (id: string): object => ({ role: 'assistant', tool_calls: [{ id, function: { name: 'f' } }] })
const result = (id: string): object => ({ role: 'tool', tool_call_id: id, content: 'r' })
const use = (id: string): object => ({ role: 'assistant', content: [{ type: 'text', text: 'a' }, { type: 'tool_use', id, name: 'f', input: {} }] })
const used = (id: string): object => ({ role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: 'r' }] })
const item = (id: string): object => ({ type: 'function_call', call_id: id, name: 'f' })
const output = (id: string): object => ({ type: 'function_call_output', call_id: id, output: 'r' })

t.test('a turn is a user message and what follows it; a tool\'s result stays with its call', async t => {
  const none = undefined
  const cases: ReadonlyArray<readonly [what: string, messages: readonly unknown[], turns: ReadonlyArray<number | undefined>]> = [
    ['nothing', [], []],
    ['one', [user], [0]],
    ['several', [system, user, answer, user, answer, user], [none, 0, 0, 1, 1, 2]],
    ['instructions in between', [user, answer, { role: 'developer' }, user, system], [0, 0, none, 1, none]],
    ['instructions alone', [system], [none]],
    ['an answer first', [answer, user, answer], [0, 1, 1]],
    ['two user messages in a row', [user, user], [0, 1]],
    ['a tool', [user, call('1'), result('1'), answer, user], [0, 0, 0, 0, 1]],
    ['two tools', [user, call('1'), call('2'), result('2'), result('1'), user], [0, 0, 0, 0, 0, 1]],
    ['a user message before the result', [user, call('1'), user, result('1'), user], [0, 0, 0, 0, 1]],
    ['the same ids again', [user, call('1'), result('1'), user, call('1'), result('1'), user], [0, 0, 0, 1, 1, 1, 2]],
    ['a call without a result', [user, call('1'), user], [0, 0, 1]],
    ['a result without a call', [result('1'), user], [0, 1]],
    ['Anthropic\'s results come from the user', [user, use('1'), used('1'), answer, user, use('2'), used('2')], [0, 0, 0, 0, 1, 1, 1]],
    ['items of the Responses API', [user, item('1'), output('1'), answer, user], [0, 0, 0, 0, 1]],
    ['items with a user message in between', [user, item('1'), user, output('1'), user], [0, 0, 0, 0, 1]],
    ['calls without ids', [user, { role: 'assistant', tool_calls: [{}] }, { role: 'tool' }, user], [0, 0, 0, 1]],
    ['what is no message', ['a', null, 1, user], [0, 0, 0, 1]]
  ]
  for (const [what, messages, turns] of cases) t.same(turnsOf(messages), turns, what)
})

t.test('which bodies are conversations', async t => {
  const messages = [user]
  t.same(conversationOf({ messages }), { field: 'messages', messages })
  t.same(conversationOf({ input: [item('1'), user] }), { field: 'input', messages: [item('1'), user] })
  for (const json of [{}, { prompt: 'a' }, { input: 'a' }, { input: ['a', 'b'] }, { input: [[1, 2]] }, { messages: 'a' }]) t.equal(conversationOf(json), undefined, JSON.stringify(json))
})
