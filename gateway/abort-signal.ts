import type { CallSignal } from '../policies/contract.js'

/** The same as a real AbortSignal, for interfaces that want one. */
export function abortSignalOf (signal: CallSignal): AbortSignal {
  if (signal instanceof AbortSignal) return signal
  const controller = new AbortController()
  if (signal.aborted) controller.abort(signal.reason)
  else signal.addEventListener('abort', () => { controller.abort(signal.reason) }, { once: true })
  return controller.signal
}
