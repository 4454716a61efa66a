import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import type { ValidateFunction } from 'ajv'

export interface Lines<T> { readonly items: T[], readonly warnings: string[] }

/** @param wanted lines that it refuses are skipped unchecked (other messages in a log) */
export async function readLines<T> (file: string, guard: ValidateFunction<T>, wanted: (value: { msg?: unknown }) => boolean = () => true): Promise<Lines<T>> {
  const text = await optional(file)
  if (text === undefined) return { items: [], warnings: [`${basename(file)} is missing`] }
  const lines = text.split('\n')
  // What follows the last newline is nothing, a line whose newline is missing, or a line cut while it was written.
  const tail = lines.at(-1) ?? ''
  const cut = tail !== '' && !isJson(tail)
  if (cut) lines.pop()
  const items: T[] = []
  lines.forEach((line, i) => {
    if (line === '') return
    const place = `${file}:${i + 1}`
    const value = json(line, place)
    if (wanted(Object(value))) items.push(checked(value, guard, place))
  })
  return { items, warnings: cut ? [`${basename(file)}:${lines.length + 1}: the last line was cut and is dropped`] : [] }
}

export function parsed<T> (text: string, guard: ValidateFunction<T>, file: string, migrate: (value: unknown) => unknown = value => value): T {
  return checked(migrate(json(text, file)), guard, file)
}

function json (text: string, place: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(`${place}: not JSON (${error instanceof Error ? error.message : String(error)}): ${text.slice(0, 60)}; the evidence was changed or damaged`)
  }
}

function isJson (text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function checked<T> (value: unknown, guard: ValidateFunction<T>, place: string): T {
  if (guard(value)) return value
  const fault = guard.errors?.[0]
  throw new Error(`${place}: ${fault?.instancePath ?? ''} ${fault?.message ?? 'is not valid'}; the evidence was changed, damaged or written by another version`)
}

export async function required (file: string, advice: string): Promise<string> {
  const text = await optional(file)
  if (text === undefined) throw new Error(`${file} is missing; ${advice}`)
  return text
}

export async function optional (file: string): Promise<string | undefined> {
  return await readFile(file, 'utf8').catch(onlyMissing(undefined))
}

export function onlyMissing<T> (instead: T): (error: unknown) => T {
  return error => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return instead
    throw error
  }
}
