import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

interface AptSource {
  readonly uri: string
  readonly suite: string
  readonly components: readonly string[]
}

/**
 * Mirrors of a whole distribution named by the machine's apt configuration, likeliest first, without trailing slash.
 * Security, vendor and switched-off entries are left out.
 * @param folder usually `/etc/apt`
 */
export async function aptMirrors (folder: string): Promise<string[]> {
  const parts = (await readdir(join(folder, 'sources.list.d')).catch(() => [])).sort().map(name => join('sources.list.d', name))
  const sources: AptSource[] = []
  for (const name of ['sources.list', ...parts]) {
    const parse = name.endsWith('.list') ? parseList : name.endsWith('.sources') ? parseDeb822 : undefined
    if (parse === undefined) continue
    const text = await readFile(join(folder, name), 'utf8').catch(() => '')
    sources.push(...parse(text))
  }
  const mirrors = sources.filter(isDistribution).map(({ uri }) => uri.replace(/\/+$/, ''))
  return [...new Set(mirrors)].sort((a, b) => likelihood(b) - likelihood(a))
}

/** One-line format, sources.list(5): `deb [options] URI suite component…`. */
export function parseList (text: string): AptSource[] {
  return text.split('\n').flatMap(line => {
    const [, uri, suite, components] = /^\s*deb\s+(?:\[[^\]]*\]\s*)?(\S+)\s+(\S+)([^#]*)/.exec(line) ?? []
    return uri === undefined || suite === undefined ? [] : [{ uri, suite, components: words(components) }]
  })
}

/** Stanza format, sources.list(5): `Types:`, `URIs:`, `Suites:`, `Components:`, with folded lines. */
export function parseDeb822 (text: string): AptSource[] {
  const withoutComments = text.split('\n').filter(line => !line.startsWith('#')).join('\n')
  return withoutComments.split(/\n\s*\n/).flatMap(stanza => {
    const fields = new Map<string, string[]>()
    for (const [, name, value] of stanza.matchAll(/^([\w-]+)[ \t]*:((?:.*)(?:\n[ \t].*)*)/gm)) fields.set((name ?? '').toLowerCase(), words(value))
    const off = ['no', 'false', '0', 'off', 'disable'].includes(fields.get('enabled')?.[0]?.toLowerCase() ?? '')
    if (off || !(fields.get('types') ?? []).includes('deb')) return []
    const components = fields.get('components') ?? []
    return (fields.get('uris') ?? []).flatMap(uri => (fields.get('suites') ?? []).map(suite => ({ uri, suite, components })))
  })
}

function words (text: string | undefined): string[] {
  return (text ?? '').split(/\s+/).filter(word => word !== '')
}

function isDistribution ({ uri, suite, components }: AptSource): boolean {
  const security = /security/.test(uri) || /security/.test(suite)
  return !security && !suite.endsWith('/') && components.includes('main')
}

function likelihood (uri: string): number {
  return /debian[^/]*$/.test(uri) ? 2 : /debian/.test(uri) ? 1 : 0
}
