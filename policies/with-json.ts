import type { Body, Call } from './contract.js'

/** The same call with another body; the call itself keeps its own. It delegates, whatever kind of object the gateway made. */
export function withJson (call: Call, json: Body['json']): Call {
  const other: Call = Object.create(call, { body: { value: call.body.withJson(json), enumerable: true, writable: true } })
  return other
}
