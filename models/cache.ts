import { homedir } from 'node:os'
import { join } from 'node:path'

/**
 * Where downloaded and generated things live: `WEIR_CACHE`, else `$XDG_CACHE_HOME/weir`, else `~/.cache/weir`.
 * Nothing is created. A relative `XDG_CACHE_HOME` is ignored, as the XDG base directory specification demands.
 */
export function cacheFolder (env: NodeJS.ProcessEnv = process.env): string {
  if (env['WEIR_CACHE']) return env['WEIR_CACHE']
  const xdg = env['XDG_CACHE_HOME']
  if (xdg?.startsWith('/')) return join(xdg, 'weir')
  return join(homedir(), '.cache', 'weir')
}
