import { memorySetting } from './memory-setting.js'

export const memoryHigh = memorySetting('memory-high', 'memory.high', 'memory throttled above', 'above it llama-server\'s group is slowed down and reclaimed, never killed (memory.high; cgroup v2 only)')
