import { homedir } from 'node:os'
import t from 'tap'
import { cacheFolder } from './cache.js'

t.test('the cache folder', async t => {
  t.equal(cacheFolder({ WEIR_CACHE: '/somewhere', XDG_CACHE_HOME: '/xdg' }), '/somewhere')
  t.equal(cacheFolder({ WEIR_CACHE: '', XDG_CACHE_HOME: '/xdg' }), '/xdg/weir')
  t.equal(cacheFolder({ XDG_CACHE_HOME: 'relative' }), `${homedir()}/.cache/weir`)
  t.equal(cacheFolder({}), `${homedir()}/.cache/weir`)
  t.equal(cacheFolder({ WEIR_CACHE: 'here' }), `${process.cwd()}/here`)
})
