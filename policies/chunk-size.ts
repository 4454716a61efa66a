/** Weight of the newest chunk in the sums. Others that are in the same batch make one look slow and none fast, so what is faster counts for more. */
const NEWEST = { faster: 1 / 4, slower: 1 / 16 }
/** Chunks are whole multiples of so many tokens: kernels work in tiles. In chunks of 32 or 50 tokens a prompt took a third longer than in chunks of 64, which cost nothing (135M model, one core). */
const TILE_TOKENS = 64
/** llama-server's usual batch (`-b`): a longer chunk would be several. */
const MAX_TOKENS = 2_048

/** How many prompt tokens upstream evaluates in the time that a chunk may take; learned from the chunks themselves, and before the first one from what calls cost. */
export class ChunkSize {
  readonly #chunkMs: number
  #ms = 0
  #tokens = 0
  #largest = 0

  constructor (chunkMs: number) {
    this.#chunkMs = chunkMs
  }

  /** A chunk of which so many tokens were evaluated was over after so long. One that was nearly all in the cache says nothing of the speed. */
  sample (tokens: number, ms: number): void {
    if (tokens < TILE_TOKENS / 2) return
    const known = this.msPerToken
    const weight = known === undefined ? 1 : ms / tokens < known ? NEWEST.faster : NEWEST.slower
    this.#ms += (ms - this.#ms) * weight
    this.#tokens += (tokens - this.#tokens) * weight
    this.#largest = Math.max(this.#largest, tokens)
  }

  /** Milliseconds per token; undefined before the first chunk. */
  get msPerToken (): number | undefined {
    return this.#tokens === 0 ? undefined : this.#ms / this.#tokens
  }

  /**
   * Tokens of the next chunk, a multiple of 64 from 64 to 2048. Without knowledge it is the smallest, and it at most doubles: a first estimate that was wrong by much must
   * not freeze everybody.
   * @param guessMsPerToken what calls cost so far; 0 when nothing is known
   */
  tokens (guessMsPerToken: number): number {
    const msPerToken = this.msPerToken ?? guessMsPerToken
    if (msPerToken <= 0) return TILE_TOKENS
    const most = this.#largest === 0 ? MAX_TOKENS : Math.max(TILE_TOKENS, 2 * this.#largest)
    const tiles = Math.floor(Math.min(this.#chunkMs / msPerToken, most, MAX_TOKENS) / TILE_TOKENS)
    return Math.max(1, tiles) * TILE_TOKENS
  }
}
