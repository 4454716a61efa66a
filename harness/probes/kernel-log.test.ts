import t from 'tap'
import { parseOomKill } from './kernel-log.js'

/** dmesg of Linux 6.1; the group of another block, then ours. */
const log = `[   31.1] llama-server invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0
[   31.2] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=weir-90-1-2-b,mems_allowed=0,oom_memcg=/weir-90-1-2-b,task_memcg=/weir-90-1-2-b,task=head,pid=200,uid=0
[   31.3] Memory cgroup out of memory: Killed process 200 (head) total-vm:1kB
[   41.2] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=weir-90-1-3-c,mems_allowed=0,oom_memcg=/weir-90-1-3-c,task_memcg=/weir-90-1-3-c,task=llama-server,pid=219,uid=0
`

t.test('the kill in this group and no other', async t => {
  t.match(parseOomKill(log, '/sys/fs/cgroup/weir-90-1-3-c'), /^oom-kill:.*task=llama-server,pid=219/)
  t.match(parseOomKill(log, '/sys/fs/cgroup/memory/weir-90-1-2-b,/sys/fs/cgroup/cpu/weir-90-1-2-b'), /task=head/)
  t.equal(parseOomKill(log, '/sys/fs/cgroup/weir-90-1-3'), undefined)
  t.equal(parseOomKill('', '/sys/fs/cgroup/weir-90-1-3-c'), undefined)
})
