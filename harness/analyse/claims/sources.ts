/** Where the numbers of claims come from, as reports name it. */
export const LOAD = 'load generator (calls.ndjson)'
export const RECORDS = 'the gateway’s records (gateway.ndjson)'
export const TIMINGS = 'llama-server (timings of each answer)'
export const PROC = '/proc/PID/stat of llama-server'
export const PIDSTAT = 'pidstat (%usr + %system)'
