import t from 'tap'
import { slotStaysIn } from './slot-log.js'

t.test('tasks in slots, by the lines of llama-server that were recorded (b11669)', async t => {
  const log = `0.00.285.915 I srv  llama_server: listening on http://127.0.0.1:33797
0.01.963.903 I slot get_availabl: id  0 | task -1 | selected slot by LRU, n_tokens = 0, t_last = -1
0.01.963.932 I slot launch_slot_: id  0 | task 1 | processing task, is_child = 0
1.02.550.461 I slot launch_slot_: id  3 | task 5 | processing task, is_child = 0
1.03.200.736 I slot print_timing: id  0 | task 1 | prompt eval time =     585.14 ms /    44 tokens (   13.30 ms per token,    75.20 tokens per second)
1.03.201.123 I slot      release: id  0 | task 1 | stop processing: n_tokens = 59, truncated = 0
1.05.963.050 W srv          stop: cancel task, id_task = 5
`
  t.same(slotStaysIn(log), [{ task: 1, fromMs: 1963.932, toMs: 63_201.123 }, { task: 5, fromMs: 62_550.461 }])
  t.same(slotStaysIn('another program\n'), [])
})
