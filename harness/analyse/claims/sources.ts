/** Where the numbers of claims come from, as reports name it. */
export const LOAD = 'load generator (calls.ndjson)'
export const RECORDS = 'the gateway’s records (gateway.ndjson)'
export const TIMINGS = 'llama-server (timings of each answer)'
export const PROC = '/proc/PID/stat of llama-server'
export const PROC_AND_TOKENS = '/proc/PID/stat of llama-server and content chunks of the load generator'
export const PIDSTAT = 'pidstat (%usr + %system)'
export const SOCKETS = 'ss (established TCP connections to llama-server’s port)'
export const DEFERRED = 'llama-server’s gauge llamacpp:requests_deferred'
