import { memorySetting } from './memory-setting.js'

export const memoryLow = memorySetting('memory-low', 'memory.low', 'memory protected, best effort, up to', 'memory of llama-server\'s group that pressure from outside it spares as long as it can (memory.low; cgroup v2 only)')
