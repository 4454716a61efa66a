import type { Answer, Call, Clock, Outcome } from './contract.js'
import { decide, type Handler, type NamedPolicy } from './decide.js'
import { deferred } from './deferred.js'

/** What really became of a call. */
interface Real {
  readonly answer: Answer
  readonly startedAtMs: number
  /** When upstream worked on its last token; never settles where it did not say. */
  readonly lastTokenAtMs: Promise<number>
}

/**
 * The policy decides and does nothing: the call goes on at once and unchanged, whatever the policy would have done with it, and what that is is in the record with mode
 * `shadow`. The policy runs on a copy of the call, in front of an upstream of its own that takes as long for each call as the real one took, from when the policy lets it
 * in; so a queue forms there as it would have. It cannot know how much faster the real server would have been with fewer calls, or slower with more.
 */
export function shadowed (policy: NamedPolicy, inner: Handler, clock: Clock): Handler {
  return async call => {
    const real = deferred<Real>()
    real.promise.catch(() => undefined)
    const copy = copyOf(call)
    decide(policy, virtualUpstream(copy, real.promise, clock), clock, copy).catch(() => undefined)
    call.decisions.push(...copy.decisions)
    const startedAtMs = clock.nowMs()
    const lastToken = deferred<number>()
    const { progress } = call
    call.progress = {
      ...progress,
      lastToken: atMs => {
        progress?.lastToken?.(atMs)
        lastToken.resolve(atMs)
      }
    }
    try {
      const answer = await inner(call)
      real.resolve({ answer, startedAtMs, lastTokenAtMs: lastToken.promise })
      return answer
    } catch (error) {
      real.reject(error)
      throw error
    }
  }
}

/** Delegates to the call; what a policy may change is the copy's own. */
function copyOf (call: Call): Call {
  return Object.create(call, {
    need: { value: { ...call.need }, enumerable: true },
    body: { value: call.body, enumerable: true, writable: true },
    progress: { value: undefined, enumerable: true, writable: true },
    decisions: { value: [], enumerable: true },
    shadow: { value: true, enumerable: true }
  }) as Call
}

/** Answers as the real upstream did, shifted to when the policy let the call in. */
function virtualUpstream (copy: Call, real: Promise<Real>, clock: Clock): Handler {
  return async () => {
    const letInAtMs = clock.nowMs()
    const { answer, startedAtMs, lastTokenAtMs } = await real
    const shiftMs = letInAtMs - startedAtMs
    lastTokenAtMs.then(async atMs => {
      await until(clock, atMs + shiftMs)
      copy.progress?.lastToken?.(clock.nowMs())
    }).catch(() => undefined)
    const over = answer.over.then(async outcome => {
      await until(clock, clock.nowMs() + shiftMs)
      const shifted: Outcome = outcome.firstByteAtMs === undefined ? outcome : { ...outcome, firstByteAtMs: outcome.firstByteAtMs + shiftMs }
      if (shifted.firstByteAtMs !== undefined) copy.progress?.firstByte?.(shifted.firstByteAtMs)
      return shifted
    })
    const released = answer.released.then(async () => {
      await until(clock, clock.nowMs() + shiftMs)
    })
    return { ...answer, body: Buffer.alloc(0), over, released }
  }
}

async function until (clock: Clock, atMs: number): Promise<void> {
  const leftMs = atMs - clock.nowMs()
  if (leftMs > 0) await new Promise<void>(resolve => { clock.setTimeout(resolve, leftMs) })
}
