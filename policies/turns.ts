type Json = Readonly<Record<string, unknown>>

export interface Conversation {
  /** `messages`, or `input` on `/v1/responses`. */
  readonly field: 'messages' | 'input'
  readonly messages: readonly unknown[]
}

/** The messages of a body, if it has any. */
export function conversationOf (json: Json): Conversation | undefined {
  const { messages, input } = json
  if (Array.isArray(messages)) return { field: 'messages', messages }
  return Array.isArray(input) && input.some(item => fieldOf(item, 'role') !== undefined) ? { field: 'input', messages: input } : undefined
}

/** A system or developer message. */
export function isInstruction (message: unknown): boolean {
  const role = fieldOf(message, 'role')
  return role === 'system' || role === 'developer'
}

/**
 * The turn of each message, 0 for the oldest; undefined for instructions, which belong to none. A turn is a user message and what
 * follows it up to the next one; what stands before the first user message is a turn, too. A tool's result is in the turn of its call,
 * so that a user message in between, or one that carries the result (Anthropic), begins none.
 */
export function turnsOf (messages: readonly unknown[]): ReadonlyArray<number | undefined> {
  const results = lastResults(messages)
  let turn = -1
  let openUntil = -1
  return messages.map((message, index) => {
    if (isInstruction(message)) return undefined
    if (turn < 0 || (fieldOf(message, 'role') === 'user' && index > openUntil)) turn++
    openUntil = Math.max(openUntil, results[index] ?? -1)
    return turn
  })
}

/** For each message the index of the last result of its tool calls, −1 where there is none. Of equal ids the next result counts: some clients begin anew with each turn. */
function lastResults (messages: readonly unknown[]): readonly number[] {
  const nextResult = new Map<unknown, number>()
  const last: number[] = []
  for (let index = messages.length - 1; index >= 0; index--) {
    last[index] = Math.max(-1, ...callIds(messages[index]).map(id => nextResult.get(id) ?? -1))
    for (const id of resultIds(messages[index])) nextResult.set(id, index)
  }
  return last
}

/** Ids of the calls in a message of a chat completion, of Anthropic's messages, or in an item of the Responses API. */
function callIds (message: unknown): unknown[] {
  const calls = listOf(fieldOf(message, 'tool_calls')).map(call => fieldOf(call, 'id'))
  const parts = partsOf(message, 'tool_use').map(part => fieldOf(part, 'id'))
  return [...calls, ...parts, ...itemIds(message, /_call$/)].filter(id => id !== undefined)
}

function resultIds (message: unknown): unknown[] {
  const parts = partsOf(message, 'tool_result').map(part => fieldOf(part, 'tool_use_id'))
  return [fieldOf(message, 'tool_call_id'), ...parts, ...itemIds(message, /_call_output$/)].filter(id => id !== undefined)
}

function itemIds (item: unknown, type: RegExp): unknown[] {
  return type.test(String(fieldOf(item, 'type'))) ? [fieldOf(item, 'call_id')] : []
}

function partsOf (message: unknown, type: string): unknown[] {
  return listOf(fieldOf(message, 'content')).filter(part => fieldOf(part, 'type') === type)
}

function listOf (value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function fieldOf (value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
