/** A difference that is known and harmless. */
export interface Allowance {
  /** Path of the field, as in the list of differences: `timings.prompt_n`, `data[].meta.size`. Deeper ones are allowed with it. */
  readonly path: string
  readonly because: string
}

/**
 * What is different between two JSON values when only keys and types count: one line for each difference.
 * Elements of arrays are compared pairwise as far as both go.
 */
export function shapeDifferences (real: unknown, fake: unknown, allowances: readonly Allowance[] = []): string[] {
  return differences(real, fake, '').filter(({ path }) => !allowances.some(allowed => path === allowed.path || path.startsWith(`${allowed.path}.`)))
    .map(({ path, what }) => `${path === '' ? '(whole)' : path}: ${what}`)
}

interface Difference { readonly path: string, readonly what: string }

function differences (real: unknown, fake: unknown, path: string): Difference[] {
  const types = [typeName(real), typeName(fake)]
  if (types[0] !== types[1]) return [{ path, what: `real ${types[0]}, fake ${types[1]}` }]
  if (Array.isArray(real) && Array.isArray(fake)) {
    return real.slice(0, fake.length).flatMap((element, index) => differences(element, fake[index], `${path}[]`))
  }
  if (!isObject(real) || !isObject(fake)) return []
  const keys = [...new Set([...Object.keys(real), ...Object.keys(fake)])]
  return keys.flatMap(key => {
    const at = path === '' ? key : `${path}.${key}`
    if (!(key in fake)) return [{ path: at, what: 'only real' }]
    if (!(key in real)) return [{ path: at, what: 'only fake' }]
    return differences(real[key], fake[key], at)
  })
}

function typeName (value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

function isObject (value: unknown): value is Record<string, unknown> {
  return typeName(value) === 'object'
}
