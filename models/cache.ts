import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

/** A path in Weir's cache: see cacheFolder. Nothing is created. */
export function cacheDir (...parts: string[]): string {
  return join(cacheFolder(), ...parts)
}

/**
 * Where downloaded and generated things live, absolute: `$WEIR_CACHE`, else `$XDG_CACHE_HOME/weir`, else `~/.cache/weir`.
 * A relative `XDG_CACHE_HOME` is ignored, as the XDG base directory specification demands.
 */
export function cacheFolder (env: NodeJS.ProcessEnv = process.env): string {
  if (env['WEIR_CACHE']) return resolve(env['WEIR_CACHE'])
  const xdg = env['XDG_CACHE_HOME']
  if (xdg?.startsWith('/')) return join(xdg, 'weir')
  return join(homedir(), '.cache', 'weir')
}
