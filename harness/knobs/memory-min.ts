import { memorySetting } from './memory-setting.js'

export const memoryMin = memorySetting('memory-min', 'memory.min', 'memory protected up to', 'memory of llama-server\'s group that pressure from outside it never takes (memory.min; cgroup v2 only)')
