import t from 'tap'
import { mappedFiles } from './free-libraries.js'
import { parseTouched } from './touched.js'

/** Linux 6.1. */
const smaps = `55d0c0a00000-55d0c0b00000 r-xp 00000000 fe:00 131 /weir/data/cache/llama-server
Size:               1024 kB
Rss:                 512 kB
Referenced:          300 kB
7f0000000000-7f0002e00000 r--s 00000000 fe:00 140                        /weir/data/my model.gguf
Size:              47104 kB
Referenced:        47000 kB
Anonymous:             0 kB
7f0002e00000-7f0003000000 rw-p 00000000 00:00 0
Referenced:         2048 kB
7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0                          [stack]
Referenced:           16 kB
`

t.test('referenced pages of the model and of other files; anonymous memory is neither', async t => {
  t.same(parseTouched(smaps, '/weir/data/my model.gguf'), { modelBytes: 47000 * 1024, otherFilesBytes: 300 * 1024 })
  t.same(parseTouched('', '/m'), { modelBytes: 0, otherFilesBytes: 0 })
})

t.test('files in /proc/PID/maps, each once', async t => {
  const maps = '1-2 r-xp 0 fe:00 1  /lib/a.so\n2-3 r--p 0 fe:00 1  /lib/a.so\n3-4 rw-p 0 00:00 0\n4-5 r--p 0 fe:00 2  /lib/gone.so (deleted)\n5-6 rw-p 0 00:00 0 [heap]\n6-7 r--s 0 fe:00 3  /m.gguf\n'
  t.same(mappedFiles(maps), ['/lib/a.so', '/m.gguf'])
})
