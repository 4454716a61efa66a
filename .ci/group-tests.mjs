/**
 * Writes what `npm test` runs: dist/grouped/NAME.js, a process each. All tests of a folder of `pure` run in one, one after the other; every other test file has its own: it may
 * start programs, listen, or change its process. A process costs two seconds of CPU (tap's loaders), more than most test files.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const pure = ['policies', 'harness/analyse', 'harness/plan', 'harness/render', 'harness/stats']

const dist = fileURLToPath(new URL('../dist/', import.meta.url))
rmSync(`${dist}grouped`, { recursive: true, force: true })
// What tsc once wrote stays in dist when its source is gone.
const files = readdirSync(dist, { recursive: true }).filter(file => file.endsWith('.test.js') && existsSync(`${dist}../${file.replace(/\.js$/, '.ts')}`)).sort()
mkdirSync(`${dist}grouped`)
const groups = new Map()
for (const file of files) {
  const name = pure.find(folder => file.startsWith(`${folder}/`)) ?? file.replace(/\.js$/, '')
  groups.set(name, [...groups.get(name) ?? [], file])
}
for (const [name, tests] of groups) writeFileSync(`${dist}grouped/${name.replaceAll('/', '-')}.js`, tests.map(file => `import '../${file}'\n`).join(''))
