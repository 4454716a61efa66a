/**
 * Monotonic milliseconds of CLOCK_MONOTONIC: comparable between all processes of one machine, unrelated to the date.
 * Every stamp named `*Ms` in the evidence comes from here.
 */
export function nowMs (): number {
  return Number(process.hrtime.bigint()) / 1e6
}
