import { admission } from './admission.js'
import type { AdmissionOptions } from './admission-options.js'
import { createChain } from './chain.js'
import type { Answer } from './contract.js'
import { heldUpstream, makeCall, makePort, type HeldCall, type TestCall } from './testing.js'

/** Admission alone in front of a held upstream. For tests only. */
export function setUp (options: AdmissionOptions = { slots: 2 }) {
  const port = makePort()
  const upstream = heldUpstream()
  const policy = admission.create(options, port)
  const chain = createChain([{ name: admission.name, run: policy.run }], upstream.handler, port.clock)
  /** Sends a call and notes how it ended. */
  function send (call: TestCall = makeCall({ arrivedAtMs: port.clock.nowMs() })) {
    const sent: { call: TestCall, answer?: Answer, error?: unknown } = { call }
    chain(call).then(answer => { sent.answer = answer }, error => { sent.error = error })
    return sent
  }
  function upstreamCall (index: number): HeldCall {
    const held = upstream.calls[index]
    if (held === undefined) throw new Error(`call ${index} did not reach upstream`)
    return held
  }
  return { port, upstream, policy, send, upstreamCall }
}
