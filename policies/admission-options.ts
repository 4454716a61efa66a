import { Type, type Static } from '@sinclair/typebox'
import type { LongPrefillOptions } from './long-prefills.js'

export const admissionSchema = Type.Object({
  slots: Type.Optional(Type.Union([Type.Literal('auto'), Type.Integer({ minimum: 1 })], {
    default: 'auto',
    description: 'Calls that upstream works on at once. "auto": as many as llama-server has slots (`/props` total_slots).'
  })),
  limit: Type.Optional(Type.Union([Type.Literal('slots'), Type.Literal('adaptive')], {
    default: 'slots',
    description: '"adaptive": fewer than `slots` where that gives more tokens per second; learned from time per token, now and then a neighbour is tried.'
  })),
  slotChoice: Type.Optional(Type.Union([Type.Literal('server'), Type.Literal('by-length'), Type.Literal('prefix')], {
    default: 'server',
    description: 'Who chooses the slot of a call: llama-server ("server"), or Weir by `id_slot`. "by-length": short prompts in the lowest slots, long ones in the highest, because llama-server evaluates prompts in the order of slots. "prefix": the slot that has most of the prompt, where the least is lost that somebody comes back for; waits for a busy one when that is sooner than to evaluate the prompt again. Only where `/slots` shows that nobody goes past the gateway; else llama-server chooses.'
  })),
  slotFiles: Type.Optional(Type.Object({
    count: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_024, default: 16, description: 'Files at most; each is as large as the KV cache of its conversation.' })),
    minTokens: Type.Optional(Type.Integer({ minimum: 1, default: 512, description: 'Tokens that must be kept by writing a file, or spared by reading one; while llama-server does either, everything in it stands still.' }))
  }, {
    additionalProperties: false,
    description: 'What a conversation loses when another one takes its slot is written to a file (weir-slot-N.bin), and read again when it comes back. Needs "slotChoice": "prefix" and a llama-server with --slot-save-path FOLDER. The files hold prompts. Default: none.'
  })),
  maxWaitMs: Type.Optional(Type.Number({
    minimum: 0,
    default: 30_000,
    description: 'Longest wait for a place, milliseconds. A longer predicted wait is refused at arrival (429 queue-full), a longer real one when it is over (503 queue-timeout).'
  })),
  ttftLimitMs: Type.Optional(Type.Number({
    exclusiveMinimum: 0,
    description: 'Limit on the time from arrival to the first token, milliseconds; a call may ask for a shorter one (X-SLO-TTFT-Ms), or for one to its end (X-Weir-Deadline-Ms). A call that is predicted to miss it is refused (429 deadline). Default: no limit.'
  })),
  maxQueued: Type.Optional(Type.Integer({
    minimum: 0,
    default: 1_000,
    description: 'Most calls that wait at a time, whatever their predicted wait (429 queue-full).'
  })),
  maxRetryAfterSeconds: Type.Optional(Type.Integer({
    minimum: 1,
    maximum: 3_600,
    default: 120,
    description: 'Longest `Retry-After`, seconds. A refused client is told when its turn is expected, and has a part of the server then; where that is later than this it is told this, and has none.'
  })),
  priority: Type.Optional(Type.Boolean({
    default: false,
    description: 'Better classes first: header X-Weir-Priority (0 is served first), within what the caller\'s key grants.'
  })),
  fair: Type.Optional(Type.Boolean({
    default: false,
    description: 'Among calls of one class, the caller that was served the fewest tokens (by its key\'s weight) first.'
  })),
  order: Type.Optional(Type.Union([Type.Literal('fifo'), Type.Literal('shortest-prefill')], {
    default: 'fifo',
    description: 'Among calls of one caller (of all, without `fair`): as they came, or the shortest uncached prompt first.'
  })),
  balance: Type.Optional(Type.Boolean({
    default: false,
    description: 'Where callers give long prompts longer limits (X-SLO-TTFT-Ms): under overload each class of prompt lengths (a factor of 1.5) gets about the same share of its calls served. A class that is ahead of the one most behind is refused (429 balance) where it would have to wait while at most one place is free, at most three calls for each that is served. Together with `prefillTokens` 64, so that short prompts do not wait in one batch with long ones.'
  })),
  overlap: Type.Optional(Type.Boolean({
    default: true,
    description: 'While llama-server works on the last token that a stream may have (`max_tokens`, or what its route calls it), the next call is sent already and begins in the step after it; sent when the answer is over it would miss that step. Only where llama-server chooses the slots.'
  })),
  agingMs: Type.Optional(Type.Number({
    exclusiveMinimum: 0,
    default: 10_000,
    description: 'Nothing starves: with each such wait, milliseconds, a call moves up one class, and after the first it stands back for no shorter prompt.'
  })),
  kvTokens: Type.Optional(Type.Integer({
    minimum: 1,
    description: 'Tokens of the KV pool that all slots share (llama-server --kv-unified -c): prompts and bounds of running calls never add up to more, because a full pool fails all of them. Default: no bound; slots with a context of their own need none.'
  })),
  prefillTokens: Type.Optional(Type.Integer({
    minimum: 1,
    description: 'Uncached prompt tokens in prefill at a time: while a prompt is evaluated, running streams stand still. A longer prompt runs when no other is in prefill. Default: no bound.'
  })),
  preemptiblePrefill: Type.Optional(Type.Object({
    chunkMs: Type.Optional(Type.Number({
      exclusiveMinimum: 0,
      default: 400,
      description: 'How long a chunk may take, milliseconds: first tokens of short prompts, running streams and the release of a place whose client left are late by no more. Its tokens follow from the speed measured, a multiple of 64 up to 2048; never fewer than 64, since a prompt in smaller pieces takes longer in all.'
    })),
    share: Type.Optional(Type.Number({
      exclusiveMinimum: 0,
      maximum: 1,
      default: 0.5,
      description: 'Share of the time that chunks get while other calls decode.'
    })),
    maxPauseMs: Type.Optional(Type.Number({
      exclusiveMinimum: 0,
      default: 1_500,
      description: 'Nothing starves: longest pause between two chunks of a prompt, milliseconds, whatever else waits.'
    }))
  }, {
    additionalProperties: false,
    description: 'Prompts longer than 1.5 chunks are evaluated chunk by chunk in a slot of their own ("by-length" is the default of slotChoice then), and shorter ones and running streams go between the chunks. Where that cannot work (several prompts, media, cache_prompt: false, no slot that is sure to be kept, a cache that does not hold the chunks) a prompt goes whole, and its record says why. Default: every prompt goes whole.'
  })),
  noticeAfterMs: Type.Optional(Type.Number({
    minimum: 0,
    description: 'A stream that has waited so long, milliseconds, is answered with 200 and SSE comments that say where it stands (": queued position=2 eta=41s"), so that neither its client nor a proxy gives up on it; a refusal is an error event from then on. Default: streams wait in silence, with their status open.'
  })),
  noticeEveryMs: Type.Optional(Type.Number({
    minimum: 100,
    default: 5_000,
    description: 'Time between two such comments, milliseconds.'
  })),
  releaseTimeoutMs: Type.Optional(Type.Number({
    minimum: 0,
    default: 30_000,
    description: 'A place whose release upstream has not confirmed this many milliseconds after its answer was over is given back with a warning.'
  }))
}, { additionalProperties: false, description: 'Holds the places at upstream: who starts, who waits, who is refused.' })

export type AdmissionOptions = Static<typeof admissionSchema>

type WithoutDefault = 'slotFiles' | 'ttftLimitMs' | 'kvTokens' | 'prefillTokens' | 'noticeAfterMs'
type Resolved = Required<Omit<AdmissionOptions, WithoutDefault | 'preemptiblePrefill'>> & Pick<AdmissionOptions, WithoutDefault> & { readonly preemptiblePrefill?: LongPrefillOptions }

export function withAdmissionDefaults ({ preemptiblePrefill, ...options }: AdmissionOptions): Resolved {
  return {
    slots: 'auto',
    limit: 'slots',
    slotChoice: preemptiblePrefill === undefined ? 'server' : 'by-length',
    maxWaitMs: 30_000,
    maxQueued: 1_000,
    maxRetryAfterSeconds: 120,
    priority: false,
    fair: false,
    order: 'fifo',
    balance: false,
    overlap: true,
    agingMs: 10_000,
    noticeEveryMs: 5_000,
    releaseTimeoutMs: 30_000,
    ...options,
    ...(preemptiblePrefill === undefined ? {} : { preemptiblePrefill: { chunkMs: 400, share: 0.5, maxPauseMs: 1_500, ...preemptiblePrefill } })
  }
}
