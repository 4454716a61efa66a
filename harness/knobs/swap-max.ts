import { memorySetting } from './memory-setting.js'

export const swapMax = memorySetting('swap-max', 'memory.swap.max', 'swap limit', 'swap that llama-server\'s group may use (memory.swap.max); cgroup v1 needs memory-max beside it')
