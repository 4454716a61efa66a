/** A refused client that was told when to come back. */
export interface Appointment {
  /** Tells the call when it comes again. */
  readonly identity: string
  readonly caller: string
  readonly priority: number
  readonly dueAtMs: number
  /** Of all places of the server, milliseconds: how long it holds its own × their part of all. */
  readonly costMs: number
  /** How long it may wait in the line then and keep its limits. */
  readonly spareMs: number
}

/** A client's timer fires late, and its call takes its way; who is later than this does not come any more. */
const GRACE_MS = 2_000
/** Of the server's time that is given away beforehand: what calls will cost is known to a tenth or so, and newcomers want some, too. */
const BOOKED_SHARE = 0.85
/** Parts of a call's spare time that may be taken up: when it is booked, by others that are booked; until it comes, by newcomers, where all keep their appointments (`wouldBreak`). The rest is for errors. */
const ROOM = { booked: 0.25, newcomers: 0.5 }
/** Share of those who keep their appointments from which on newcomers leave room for them: more come than do not. */
const WORTH_KEEPING = 0.5
/** Weight of the newest in the share of those who keep their appointments, once there were many. */
const NEWEST = 1 / 32
/** What is believed before the first one counts as so many. */
const BELIEVED = 2

/**
 * The line outside: who was refused and told when to come back has its part of the server's time then, so that what it was told is true. Without it all
 * who are refused within a second come back within another one, and most of them are refused again. Waits are those of a server that works off costs one
 * after the other. Who does not come costs nothing but for a moment: the time given away counts as much as the share of those who did come lately.
 */
export class Appointments {
  /** By time. */
  #all: Appointment[] = []
  /** Until it is known, those who are told a time are taken to come then: each gets a time of its own. */
  #keptShare = 1
  /** The same, believed only as far as it was seen: nothing is kept from newcomers for clients of whom nobody knows whether they come back. */
  #seenShare = 0
  #outcomes = 0

  get size (): number { return this.#all.length }
  /** Share of those who came when they were told to, lately. */
  get keptShare (): number { return this.#keptShare }

  /** Forgets those who did not come. */
  advance (atMs: number): void {
    let gone = 0
    while ((this.#all[gone]?.dueAtMs ?? Infinity) + GRACE_MS < atMs) gone++
    if (gone === 0) return
    this.#all.splice(0, gone)
    for (let missed = 0; missed < gone; missed++) this.#learn(0)
  }

  find (identity: string): Appointment | undefined {
    return this.#all.find(each => each.identity === identity)
  }

  /** It came and was let in, or comes no more. */
  strike (appointment: Appointment, atMs: number): void {
    this.#all = this.#all.filter(each => each !== appointment)
    if (atMs >= appointment.dueAtMs) this.#learn(1)
  }

  /**
   * Books the first time, a whole number of seconds from now, at which it and those who are booked later wait for no more than a part of what they can.
   * @param loadMs work in front of it now
   * @returns milliseconds from now; undefined when there is none within `maxMs`: then nothing is booked
   */
  book (who: Omit<Appointment, 'dueAtMs'>, loadMs: number, atMs: number, maxMs: number): number | undefined {
    const queue = this.#played(loadMs, atMs)
    const own = who.costMs * this.#keptShare
    let last = 0
    for (let inMs = 1_000; inMs <= maxMs; inMs += 1_000) {
      const dueAtMs = atMs + inMs
      while ((queue[last + 1]?.fromMs ?? Infinity) <= dueAtMs) last++
      const [before, after] = [queue[last], queue[last + 1]]
      const waitMs = before === undefined ? 0 : Math.max(0, before.waitMs + before.costMs - (dueAtMs - before.fromMs) * BOOKED_SHARE)
      if (waitMs > who.spareMs * ROOM.booked) continue
      const idleMs = after === undefined ? Infinity : Math.max(0, (after.fromMs - dueAtMs) * BOOKED_SHARE - waitMs)
      if (own - idleMs > Math.max(0, after?.slackMs ?? Infinity)) continue
      this.#all.splice(this.#all.findLastIndex(each => each.dueAtMs <= dueAtMs) + 1, 0, { ...who, dueAtMs })
      return inMs
    }
    return undefined
  }

  /**
   * Whether so much more work in front of them would make some of these wait for too long: for more than half of what they can where all clients come back when they were told to, and for more than all of it where
   * every second one does. Where fewer were seen to come nothing is kept for them: a due appointment of a call that can hardly wait would keep out every longer one.
   */
  wouldBreak (loadMs: number, atMs: number, whose: (appointment: Appointment) => boolean): boolean {
    let [waitMs, fromMs] = [loadMs, atMs]
    const kept = this.#seenShare
    if (kept < WORTH_KEEPING) return false
    for (const each of this.#all) {
      if (!whose(each)) continue
      const dueAtMs = Math.max(atMs, each.dueAtMs)
      waitMs = Math.max(0, waitMs - (dueAtMs - fromMs))
      fromMs = dueAtMs
      if (waitMs > each.spareMs * ROOM.newcomers / kept) return true
      waitMs += each.costMs * kept
    }
    return false
  }

  #learn (kept: 0 | 1): void {
    this.#outcomes++
    const weight = Math.max(NEWEST, 1 / (this.#outcomes + BELIEVED))
    this.#keptShare += (kept - this.#keptShare) * weight
    this.#seenShare += (kept - this.#seenShare) * weight
  }

  /** What each will wait for, and how much more work may come before it so that neither it nor those behind it wait for too long. The first stands for what is there now. */
  #played (loadMs: number, atMs: number): Played[] {
    const queue: Played[] = [{ fromMs: atMs, waitMs: loadMs, costMs: 0, slackMs: Infinity }]
    for (const { dueAtMs, costMs, spareMs } of this.#all) {
      const before = queue[queue.length - 1]
      const fromMs = Math.max(atMs, dueAtMs)
      const waitMs = before === undefined ? 0 : Math.max(0, before.waitMs + before.costMs - (fromMs - before.fromMs) * BOOKED_SHARE)
      queue.push({ fromMs, waitMs, costMs: costMs * this.#keptShare, slackMs: spareMs * ROOM.booked - waitMs })
    }
    for (let i = queue.length - 2; i >= 0; i--) {
      const [own, after] = [queue[i], queue[i + 1]]
      if (own === undefined || after === undefined) continue
      const idleMs = Math.max(0, (after.fromMs - own.fromMs) * BOOKED_SHARE - own.waitMs - own.costMs)
      own.slackMs = Math.min(own.slackMs, idleMs + after.slackMs)
    }
    return queue
  }
}

interface Played {
  readonly fromMs: number
  readonly waitMs: number
  readonly costMs: number
  slackMs: number
}
