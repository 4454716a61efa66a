import t from 'tap'
import { endKindOf } from './server-end.js'
import type { ServerEnd } from '../types.js'

const end = (over: Partial<ServerEnd>): ServerEnd => ({ during: 'load', code: null, signal: 'SIGKILL', atMs: 1, why: '', ...over })
const counted = { 'memory.events.oom_kill': 1 }
const log = 'oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/weir,task_memcg=/weir,task=NAME,pid=5,uid=0'

t.test('how a server ended', async t => {
  t.equal(endKindOf({}), undefined)
  t.equal(endKindOf({ serverEnd: end({}), groupCountersAtEnd: counted }), 'out of memory')
  t.equal(endKindOf({ serverEnd: end({ during: 'start', signal: null }), groupCountersAtEnd: counted }), 'out of memory')
  t.equal(endKindOf({ serverEnd: end({}), groupCountersAtEnd: { 'memory.events.oom_kill': 0 } }), 'killed', 'by somebody else')
  t.equal(endKindOf({ serverEnd: end({ signal: 'SIGSEGV' }), groupCountersAtEnd: counted }), 'crashed')
  t.equal(endKindOf({ serverEnd: end({ signal: null, code: 1 }), groupCountersAtEnd: counted }), 'exited')
  for (const [name, kind] of [['llama-server', 'out of memory'], ['ld-linux-x86-64', 'out of memory'], ['head', 'killed']] as const) {
    t.equal(endKindOf({ serverEnd: end({ kernelLog: log.replace('NAME', name) }), groupCountersAtEnd: counted }), kind, name)
  }
})
