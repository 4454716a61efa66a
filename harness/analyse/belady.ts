/** One call in a slot. */
export interface SlotUse {
  readonly conversation: number
  /** Monotonic milliseconds: it began, and its slot was free again. */
  readonly fromMs: number
  readonly toMs: number
  /** Prompt tokens that it would find if its slot still had the call before it of the same conversation, and if not. */
  readonly keptTokens: number
  readonly otherwiseTokens: number
}

/** More than any sum of tokens: a call that runs has a slot, whatever would be gained by keeping another one's. */
const MUST = 1e9

interface Edge {
  readonly to: number
  readonly weight: number
  readonly reverse: number
  room: number
}

/**
 * The most prompt tokens that calls can find in so many slots, chosen with knowledge of all that comes (what Bélády's rule is for pages of equal worth). Between two
 * calls of a conversation its slot is either kept or not; while kept it serves nobody else. So the best choice is the heaviest set of intervals of which no more than
 * `slots` overlap, the calls themselves among them: a flow of `slots` units along time, heaviest path by heaviest path.
 */
export function bestCachedTokens (uses: readonly SlotUse[], slots: number): number {
  const times = [...new Set(uses.flatMap(({ fromMs, toMs }) => [fromMs, toMs]))].sort((a, b) => a - b)
  const at = new Map(times.map((timeMs, index) => [timeMs, index]))
  const graph: Edge[][] = times.map(() => [])
  const connect = (from: number, to: number, room: number, weight: number): Edge => {
    const edge = { to, weight, room, reverse: graph[to]?.length ?? 0 }
    graph[to]?.push({ to: from, weight: -weight, room: 0, reverse: graph[from]?.length ?? 0 })
    graph[from]?.push(edge)
    return edge
  }
  for (let index = 1; index < times.length; index++) connect(index - 1, index, slots, 0)
  let tokens = 0
  const kept: Edge[] = []
  const before = new Map<number, SlotUse>()
  for (const use of [...uses].sort((a, b) => a.fromMs - b.fromMs)) {
    connect(at.get(use.fromMs) ?? 0, at.get(use.toMs) ?? 0, 1, MUST)
    tokens += use.otherwiseTokens
    const earlier = before.get(use.conversation)
    const gain = use.keptTokens - use.otherwiseTokens
    if (earlier !== undefined && earlier.toMs <= use.fromMs && gain > 0) {
      // A client that answers at once needs no slot in between.
      if (earlier.toMs === use.fromMs) tokens += gain
      else kept.push(connect(at.get(earlier.toMs) ?? 0, at.get(use.fromMs) ?? 0, 1, gain))
    }
    before.set(use.conversation, use)
  }
  for (let unit = 0; unit < slots; unit++) {
    for (const edge of heaviestPath(graph)) {
      edge.room--
      const back = graph[edge.to]?.[edge.reverse]
      if (back !== undefined) back.room++
    }
  }
  return kept.reduce((sum, { room, weight }) => room === 0 ? sum + weight : sum, tokens)
}

/** From the first point in time to the last one (Bellman and Ford: edges back in time undo what an earlier path took). */
function heaviestPath (graph: readonly Edge[][]): Edge[] {
  const weights = graph.map((_edges, node) => node === 0 ? 0 : -Infinity)
  const into: Array<{ readonly from: number, readonly edge: Edge } | undefined> = graph.map(() => undefined)
  for (let changed = true; changed;) {
    changed = false
    for (const [from, edges] of graph.entries()) {
      for (const edge of edges) {
        const weight = (weights[from] ?? -Infinity) + edge.weight
        if (edge.room <= 0 || weight <= (weights[edge.to] ?? -Infinity)) continue
        weights[edge.to] = weight
        into[edge.to] = { from, edge }
        changed = true
      }
    }
  }
  const path: Edge[] = []
  for (let step = into[graph.length - 1]; step !== undefined; step = step.from === 0 ? undefined : into[step.from]) path.push(step.edge)
  return path
}
