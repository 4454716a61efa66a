/** `144811360` → `145 MB` (decimal, as model hubs count). */
export function megabytes (bytes: number): string {
  return bytes < 10_000_000 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.round(bytes / 1e6)} MB`
}

/** `134515008` → `135M`. */
export function parameterCount (parameters: number): string {
  if (parameters < 9_950_000) return `${(parameters / 1e6).toFixed(1)}M`
  return parameters < 999_500_000 ? `${Math.round(parameters / 1e6)}M` : `${(parameters / 1e9).toFixed(1)}B`
}
