import os from 'node:os'
import path from 'node:path'

/** A path in Weir's cache: `$WEIR_CACHE`, else `$XDG_CACHE_HOME/weir`, else `~/.cache/weir`. Nothing is created. */
export function cacheDir (...parts: string[]): string {
  const { WEIR_CACHE: own, XDG_CACHE_HOME: xdg } = process.env
  if (own) return path.join(path.resolve(own), ...parts)
  return path.join(xdg || path.join(os.homedir(), '.cache'), 'weir', ...parts)
}
