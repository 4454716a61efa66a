import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import type { ErrorObject } from 'ajv'
import type { RegisteredPolicy } from '../policies/index.js'
import { checkRules } from './config-rules.js'
import { configSchema } from './config-schema.js'
import type { Config } from './config-schema.js'
import { jsonTrouble } from './json-trouble.js'
import { suggest } from './suggest.js'
import { UsageError } from './usage-error.js'

export type PolicyRegistry = Readonly<Record<string, RegisteredPolicy>>

/** @throws UsageError when the file cannot be read or is wrong; the message names the place in it */
export function readConfigFile (path: string, registry: PolicyRegistry): Config {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new UsageError(`--config ${path}: cannot be read (${error instanceof Error && 'code' in error ? String(error.code) : String(error)})`)
  }
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw new UsageError(`--config ${path}: ${jsonTrouble(text)}`)
  }
  try {
    return checkConfig(json, registry)
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`--config ${path}: ${error.message}`)
    throw error
  }
}

/**
 * Checks a configuration and fills in its defaults.
 * @throws UsageError whose message begins with the place, e.g. `policies[0].slotz: no such option; …`
 */
export function checkConfig (json: unknown, registry: PolicyRegistry): Config {
  const ajv = new Ajv({ useDefaults: true, verbose: true, allowUnionTypes: true })
  const config: unknown = structuredClone(json)
  const check = ajv.compile<Config>(configSchema)
  if (!check(config)) throw new UsageError(explain(check.errors, '') || 'the configuration must be a JSON object')
  const seen = new Set<string>()
  config.policies.forEach((policy, index) => {
    const { name, mode, ...options } = policy
    const factory = registry[name]
    const names = Object.keys(registry)
    if (factory === undefined) throw new UsageError(`policies[${index}].name: there is no policy "${name}"; there are ${names.join(', ')}.${suggest(name, names)}`)
    if (seen.has(name)) throw new UsageError(`policies[${index}].name: "${name}" is in the list twice; every policy may stand in it once`)
    seen.add(name)
    const checkOptions = ajv.compile(factory.schema)
    if (!checkOptions(options)) throw new UsageError(explain(checkOptions.errors, `/policies/${index}`))
    checkCallers(options, `policies[${index}]`, config.apiKeys.map(({ name }) => name))
  })
  checkRules(config)
  return config
}

function explain (errors: readonly ErrorObject[] | null | undefined, prefix: string): string {
  // For alternatives there is an error for each, and then the one that sums them up.
  const error = errors?.find(({ keyword }) => keyword === 'anyOf') ?? errors?.[0]
  if (error === undefined) return ''
  const { keyword, params, parentSchema, data } = error
  const place = placeOf(prefix + error.instancePath)
  const names = Object.keys(Object(Reflect.get(Object(parentSchema), 'properties')))
  if (keyword === 'additionalProperties') {
    const given = String(params['additionalProperty'])
    return `${join(place, given)}: no such option; there are ${names.join(', ')}.${suggest(given, names)}`
  }
  if (keyword === 'required') return `${join(place, String(params['missingProperty']))}: is missing; ${place === '' ? 'the configuration' : place} has ${names.join(', ')}`
  const allowed = keyword === 'const' || keyword === 'anyOf' ? `must be one of ${alternatives(parentSchema).join(', ')}` : error.message ?? 'is wrong'
  return `${place === '' ? 'the configuration' : place}: ${allowed}, got ${JSON.stringify(data)}`
}

function alternatives (schema: unknown): string[] {
  const branches: unknown = Reflect.get(Object(schema), 'anyOf')
  if (!Array.isArray(branches)) return [JSON.stringify(Reflect.get(Object(schema), 'const'))]
  return branches.map(branch => {
    const { const: constant, type, minimum } = Object(branch) as { const?: unknown, type?: string, minimum?: number }
    return constant === undefined ? `${type}${minimum === undefined ? '' : ` >= ${minimum}`}` : String(constant)
  })
}

/** `/policies/0/slots` → `policies[0].slots`. */
function placeOf (pointer: string): string {
  const parts = pointer.split('/').slice(1).map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  return parts.reduce((place, part) => /^\d+$/.test(part) ? `${place}[${part}]` : join(place, part), '')
}

function join (place: string, name: string): string {
  if (place === '') return name
  return /^[\w$]+$/.test(name) ? `${place}.${name}` : `${place}[${JSON.stringify(name)}]`
}

/**
 * Whoever a policy names under `perCaller` must have a key: a slip would leave its caller with what all others have. Without keys callers
 * are addresses, and any name may be one.
 */
function checkCallers (options: object, place: string, names: readonly string[]): void {
  if (names.length === 0) return
  for (const caller of Object.keys(Object(Reflect.get(options, 'perCaller')))) {
    if (!names.includes(caller)) throw new UsageError(`${join(`${place}.perCaller`, caller)}: there is no API key of this name; there are ${names.join(', ')}.${suggest(caller, names)}`)
  }
}
