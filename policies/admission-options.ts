import { Type, type Static } from '@sinclair/typebox'

export const admissionSchema = Type.Object({
  slots: Type.Optional(Type.Union([Type.Literal('auto'), Type.Integer({ minimum: 1 })], {
    default: 'auto',
    description: 'Calls that upstream works on at once. "auto": as many as llama-server has slots (`/props` total_slots).'
  })),
  maxWaitMs: Type.Optional(Type.Number({
    minimum: 0,
    default: 30_000,
    description: 'Longest wait for a place, milliseconds. A longer predicted wait is refused at arrival (429 queue-full), a longer real one when it is over (503 queue-timeout).'
  })),
  ttftLimitMs: Type.Optional(Type.Number({
    exclusiveMinimum: 0,
    description: 'Limit on the time from arrival to the first token, milliseconds. A call that is predicted to miss it is refused (429 deadline). Default: no limit.'
  })),
  maxQueued: Type.Optional(Type.Integer({
    minimum: 0,
    default: 1_000,
    description: 'Most calls that wait at a time, whatever their predicted wait (429 queue-full).'
  })),
  releaseTimeoutMs: Type.Optional(Type.Number({
    minimum: 0,
    default: 30_000,
    description: 'A place whose release upstream has not confirmed this many milliseconds after its answer was over is given back with a warning.'
  }))
}, { additionalProperties: false, description: 'Holds the places at upstream: who starts, who waits, who is refused.' })

export type AdmissionOptions = Static<typeof admissionSchema>

type Resolved = Required<Omit<AdmissionOptions, 'ttftLimitMs'>> & Pick<AdmissionOptions, 'ttftLimitMs'>

export function withAdmissionDefaults (options: AdmissionOptions): Resolved {
  return { slots: 'auto', maxWaitMs: 30_000, maxQueued: 1_000, releaseTimeoutMs: 30_000, ...options }
}
