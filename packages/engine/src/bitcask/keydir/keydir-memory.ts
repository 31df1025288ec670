/** A cache line of 64 bytes, as 32-bit words: the unit of allocation. */
export const lineWords = 16
const chunkLines = 65_536
/** The first chunk has no more; each that follows doubles what there is, until one is whole. */
const firstChunkLines = 256
/** Tables larger than this get a chunk of their own, so that a chunk is never mostly unusable. */
const sharedLinesMax = chunkLines / 4

/** Consecutive tables, back to back, that fit in one chunk. */
export interface ChunkRun {
  first: number
  end: number
  lines: number
  /** Else it is one table with a chunk of its own. */
  isShared: boolean
}

/** How tables of so many lines each are laid out anew. */
export function* chunkRuns(lines: ArrayLike<number>): Generator<ChunkRun> {
  let run: ChunkRun = { first: 0, end: 0, lines: 0, isShared: true }
  for (let table = 0; table < lines.length; table++) {
    const own = lines[table]!
    const isShared = own <= sharedLinesMax
    if (!isShared || !run.isShared || run.lines + own > chunkLines) {
      if (run.lines > 0) yield run
      run = { first: table, end: table, lines: 0, isShared }
    }
    run.end = table + 1
    run.lines += own
  }
  if (run.lines > 0) yield run
}

interface Chunk {
  words: Uint32Array
  lines: number
  /** Lines in use by tables. */
  live: number
}

/**
 * Off-heap memory for tables of many sizes, as a log with a cleaner (Rumble et al., "Log-structured memory", 2014): blocks
 * are taken from the end of the newest chunk, of 4 MiB where there are as many; what is freed is only counted. A chunk without live blocks is used
 * again; when more than a seventh of the memory is dead, the owner moves the live blocks of the deadest chunk, a few at a time. So no
 * pattern of growth fragments it beyond that, and no call moves a whole chunk (7 to 10 ms, most of it the kernel's, for fresh pages).
 *
 * A position is the number of a line: chunk times 65,536 plus the line in it.
 */
export class KeydirMemory {
  readonly #chunks: Chunk[] = []
  readonly #free: number[] = []
  #current = -1
  #next = 0
  /** Lines of the current chunk. */
  #end = 0
  #cleaning = -1
  /** The current chunk was used before. */
  #used = false
  #dead = 0
  #total = 0
  /** Of a dropped chunk: growing and cleaning would otherwise leave much for the garbage collector. */
  #spare: Uint32Array | undefined

  /** The memory that holds a position. Its word `wordOf(position)` is the first of the line. */
  words(position: number): Uint32Array {
    return this.#chunks[position >>> 16]!.words
  }

  get byteLength(): number {
    return this.#total * lineWords * 4
  }

  /** Zeroed lines, back to back. */
  allocate(lines: number): number {
    if (lines > sharedLinesMax) return this.#addChunk(lines) * chunkLines
    if (this.#next + lines > this.#end) this.#begin(lines)
    return this.#take(lines)
  }

  /** Lines for a run of `chunkRuns`. */
  allocateRun({ lines, isShared }: ChunkRun): number {
    if (!isShared) return this.allocate(lines)
    this.#begin(lines)
    return this.#take(lines)
  }

  #take(lines: number): number {
    const chunk = this.#chunks[this.#current]!
    const line = this.#next
    this.#next += lines
    chunk.live += lines
    if (this.#used) chunk.words.fill(0, line * lineWords, (line + lines) * lineWords)
    return this.#current * chunkLines + line
  }

  release(position: number, lines: number): void {
    const number = position >>> 16
    const chunk = this.#chunks[number]!
    chunk.live -= lines
    this.#dead += lines
    if (chunk.live === 0 && number !== this.#current) this.#drop(number)
  }

  /** The chunk whose live blocks should be moved (allocated anew, then released), or -1. The same one until it has none. */
  toClean(): number {
    if (this.#cleaning < 0) this.#cleaning = this.#deadest()
    return this.#cleaning
  }

  /** What `toClean` chose, -1 once it is gone. */
  get cleaning(): number {
    return this.#cleaning
  }

  #deadest(): number {
    if (this.#dead * 7 < this.#total || this.#dead < chunkLines) return -1
    let worst = -1
    for (const [number, chunk] of this.#chunks.entries()) {
      if (number === this.#current || chunk.live === 0) continue
      if (worst < 0 || chunk.lines - chunk.live > this.#chunks[worst]!.lines - this.#chunks[worst]!.live) worst = number
    }
    return worst
  }

  #begin(linesMin: number): void {
    const old = this.#current
    // What is left of it counts as dead, until its last block is released.
    if (old >= 0) this.#dead += this.#end - this.#next
    const lines = Math.min(Math.max(this.#total, 2 * linesMin, firstChunkLines), chunkLines)
    const spare = lines === chunkLines ? this.#spare : undefined
    if (spare !== undefined) this.#spare = undefined
    this.#used = spare !== undefined
    this.#current = this.#addChunk(lines, spare)
    this.#chunks[this.#current]!.live = 0
    this.#next = 0
    this.#end = lines
    if (old >= 0 && this.#chunks[old]!.live === 0) this.#drop(old)
  }

  #addChunk(lines: number, words: Uint32Array = new Uint32Array(lines * lineWords)): number {
    const number = this.#free.pop() ?? this.#chunks.length
    this.#chunks[number] = { words, lines, live: lines }
    this.#total += lines
    return number
  }

  #drop(number: number): void {
    const { lines, words } = this.#chunks[number]!
    if (lines === chunkLines) this.#spare = words
    this.#dead -= lines
    this.#total -= lines
    this.#chunks[number] = { words: noWords, lines: 0, live: 0 }
    this.#free.push(number)
    if (number === this.#cleaning) this.#cleaning = -1
  }
}

const noWords = new Uint32Array(0)

export const wordOf = (position: number) => (position & (chunkLines - 1)) * lineWords
