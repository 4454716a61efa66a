import type { Answer, Outcome } from './contract.js'
import { createChain } from './chain.js'
import type { NamedPolicy } from './decide.js'
import { RelayBody } from './relay-body.js'
import { singleFlight } from './single-flight.js'
import type { SingleFlightOptions } from './single-flight-options.js'
import { heldUpstream, makeCall, makePort, settle, type HeldCall, type TestCall } from './testing.js'

/** Bodies and headers of calls in front of single-flight. For tests only. */
export const greedy = { messages: [{ role: 'user', content: 'hi' }], temperature: 0, stream: true }
export const drawn = { messages: [{ role: 'user', content: 'hi' }], stream: true }
export const stream = { 'content-type': 'text/event-stream' }

export interface Asked {
  readonly call: TestCall
  answer?: Answer
  error?: unknown
  outcome?: Outcome
  /** What its client got of the body so far. */
  text: string
  room: boolean
  released: boolean
}

/** Single-flight in a chain in front of a held upstream. For tests only. */
export function setUp (options: SingleFlightOptions = {}, how: { mode?: 'on' | 'shadow', inner?: (port: ReturnType<typeof makePort>) => readonly NamedPolicy[], outer?: (port: ReturnType<typeof makePort>) => readonly NamedPolicy[] } = {}) {
  const port = makePort()
  const upstream = heldUpstream()
  const policy = singleFlight.create(options, port)
  const chain = createChain([...how.outer?.(port) ?? [], { name: 'single-flight', run: policy.run, mode: how.mode ?? 'on' }, ...how.inner?.(port) ?? []], upstream.handler, port.clock)
  async function ask (json: Record<string, unknown> = greedy, given: Partial<TestCall> = {}): Promise<Asked> {
    const call = makeCall({ arrivedAtMs: port.clock.nowMs(), ...given }, json)
    const asked: Asked = { call, text: '', room: true, released: false }
    chain(call).then(answer => { receive(asked, answer) }, error => { asked.error = error })
    await settle()
    return asked
  }
  const at = (index: number): HeldCall => reached(upstream.calls[index], index)
  return { port, upstream, policy, ask, at }
}

/** As the gateway's writer does. */
function receive (asked: Asked, answer: Answer): void {
  asked.answer = answer
  answer.over.then(outcome => { asked.outcome = outcome })
  answer.released.then(() => { asked.released = true })
  const { body } = answer
  if (!(body instanceof RelayBody)) {
    asked.text = body.toString()
    return
  }
  body.relayTo({
    write (chunk) { asked.text += chunk.toString(); return asked.room },
    end () { asked.text += '|END' },
    cut (error) { asked.text += `|CUT ${error.message}` }
  })
}

export const verdicts = (asked: Asked): string[] => asked.call.decisions.map(({ policy, verdict, reason }) => `${policy} ${verdict}: ${reason}`)

function reached (held: HeldCall | undefined, index: number): HeldCall {
  if (held === undefined) throw new Error(`call ${index} did not reach upstream`)
  return held
}
