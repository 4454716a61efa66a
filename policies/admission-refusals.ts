import { refusal, type OwnAnswer } from './answers.js'
import type { RefuseEffect } from './schedule-events.js'

/** llama-server says nothing about how long it will still load; asking again this often is cheap. */
const LOADING_RETRY_SECONDS = 2

export function loadingRefusal (): OwnAnswer {
  return refusal({
    status: 503,
    type: 'unavailable_error',
    reason: 'loading',
    message: `The model is still loading, so the number of slots is not known yet. Try again in ${LOADING_RETRY_SECONDS} s.`,
    retryAfterSeconds: LOADING_RETRY_SECONDS
  })
}

/** `queued`: calls that waited when this one arrived. */
export function scheduleRefusal (effect: RefuseEffect, queued: number): OwnAnswer {
  const retryAfterSeconds = Math.ceil(effect.retryAfterMs / 1000)
  return refusal({
    status: effect.status,
    type: effect.status === 429 ? 'rate_limit_error' : 'unavailable_error',
    reason: effect.reason,
    message: `${describe(effect, queued)} Try again in ${retryAfterSeconds} s.`,
    retryAfterSeconds,
    facts: { queueWaitMs: effect.queueWaitMs, queued, predictedWaitMs: effect.predictedWaitMs, expected: effect.expected }
  })
}

function describe (effect: RefuseEffect, queued: number): string {
  const waitedMs = Math.round(effect.queueWaitMs)
  switch (effect.reason) {
    case 'queue-full': return `The queue is full: ${queued} calls wait, the predicted wait is ${Math.round(effect.predictedWaitMs)} ms, and ${effect.expected} refused calls are expected to come back.`
    case 'deadline': return waitedMs === 0
      ? `The limits of this call cannot be met: ${queued} calls wait and the predicted wait is ${Math.round(effect.predictedWaitMs)} ms.`
      : `The limits of this call cannot be met any more: it waited ${waitedMs} ms for a place.`
    case 'balance': return `Calls of this length had more than their part of the server lately; others get theirs first (${queued} calls wait).`
    case 'queue-timeout': return `No place became free within ${waitedMs} ms.`
    case 'draining': return 'The gateway is shutting down and starts no more calls.'
  }
}
