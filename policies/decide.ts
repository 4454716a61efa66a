import type { OwnAnswer } from './answers.js'
import type { Answer, Call, Clock, Decision, Next, Policy } from './contract.js'

export interface NamedPolicy {
  readonly name: string
  readonly run: Policy
  /** `shadow`: it decides, and nothing is done. Default: on. */
  readonly mode?: 'on' | 'shadow'
}

/** What a chain is, and what stands innermost in it. */
export type Handler = (call: Call) => Promise<Answer>

/** Of a decision before it is made. A shadow may still stand in its queue when the real call is over. */
const ON = { mode: 'on', verdict: 'fail', reason: 'unfinished' } as const
const SHADOW = { mode: 'shadow', verdict: 'pass', reason: 'still waits' } as const

/** Runs one policy, which leaves one decision in `call.decisions`. */
export async function decide (policy: NamedPolicy, inner: Handler, clock: Clock, call: Call): Promise<Answer> {
  const enteredAtMs = clock.nowMs()
  const receivedBody = call.body
  const decision: Decision = {
    policy: policy.name,
    ...(policy.mode === 'shadow' ? SHADOW : ON),
    queueWaitMs: 0,
    workMs: 0,
    facts: {},
    steps: []
  }
  call.decisions.push(decision)
  let passedOn: 'pass' | 'change' | undefined
  const innerErrors = new Set<unknown>()

  function settleTimes (): void {
    decision.queueWaitMs = decision.facts['queueWaitMs'] ?? 0
    decision.workMs = Math.max(0, clock.nowMs() - enteredAtMs - decision.queueWaitMs)
  }

  const next: Next = async (passed, reason, facts) => {
    Object.assign(decision.facts, facts)
    decision.steps.push({ reason, atMs: clock.nowMs() })
    if (passedOn === undefined) {
      settleTimes()
      decision.reason = reason
    }
    if (passedOn !== 'change') passedOn = passed.body === receivedBody ? 'pass' : 'change'
    decision.verdict = passedOn
    try {
      return await inner(passed)
    } catch (error) {
      innerErrors.add(error)
      throw error
    }
  }

  try {
    const answer: OwnAnswer = await policy.run(call, next)
    if (passedOn === undefined) {
      Object.assign(decision.facts, answer.facts)
      settleTimes()
      decision.verdict = answer.reason !== undefined ? 'refuse' : answer.follows === undefined ? 'serve' : 'follow'
      if (answer.follows !== undefined) decision.follows = answer.follows
      decision.reason = answer.reason ?? answer.because ?? 'own answer'
    }
    return answer
  } catch (error) {
    // An error that only came through from further in is not this policy's: it did pass the call on.
    if (passedOn === undefined || !innerErrors.has(error)) {
      if (passedOn === undefined) settleTimes()
      decision.verdict = call.signal.aborted ? 'leave' : 'fail'
      decision.reason = call.signal.aborted ? 'client left' : String(error instanceof Error ? error.message : error)
    }
    throw error
  }
}
