/**
 * Writes what `npm test` runs: dist/grouped/NAME.js, a process each. The test files of a group of `shared` run in one, one after the other: they are pure, or make gateways and fake
 * servers of their own that they close again. Every other test file has its own process: it may start programs or change what its process shares. A process costs two seconds of
 * CPU (tap's loaders), more than most test files.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const shared = {
  policies: /^policies\//,
  'harness-analyse': /^harness\/analyse\//,
  'harness-plan': /^harness\/plan\//,
  'harness-render': /^harness\/render\//,
  'harness-stats': /^harness\/stats\//,
  // Two, since two processes run at a time.
  'gateway-a-k': /^gateway\/(?!(cli|clock)\.test)[a-k]/,
  'gateway-l-z': /^gateway\/(?!real-server\.test)[l-z]/
}

const dist = fileURLToPath(new URL('../dist/', import.meta.url))
rmSync(`${dist}grouped`, { recursive: true, force: true })
// What tsc once wrote stays in dist when its source is gone.
const files = readdirSync(dist, { recursive: true }).filter(file => file.endsWith('.test.js') && existsSync(`${dist}../${file.replace(/\.js$/, '.ts')}`)).sort()
mkdirSync(`${dist}grouped`)
const groups = new Map()
for (const file of files) {
  const name = Object.keys(shared).find(group => shared[group].test(file)) ?? file.replace(/\.js$/, '').replaceAll('/', '-')
  groups.set(name, [...groups.get(name) ?? [], file])
}
for (const [name, tests] of groups) writeFileSync(`${dist}grouped/${name}.js`, tests.map(file => `import '../${file}'\n`).join(''))
