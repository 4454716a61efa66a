export type JsonRecord = Record<string, unknown>

export function isRecord (value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The field as a number, or the fallback when it is absent, null or of another type. */
export function numberIn (body: JsonRecord, field: string, fallback: number): number {
  const value = body[field]
  return typeof value === 'number' ? value : fallback
}
