import { memorySetting } from './memory-setting.js'

export const memoryMax = memorySetting('memory-max', 'memory.max', 'memory limit', 'hard limit of llama-server\'s group (memory.max), page cache of its model included; reclaim first, then the OOM killer')
