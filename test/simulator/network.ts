import type { SeededRandom } from '../seeded-random.js'
import { randomStream } from './random-stream.js'

/** Most nodes of a run, those that join later included. */
export const nodesMax = 64

/** One direction between two nodes: `from * nodesMax + to`. */
export type Link = number

export const linkOf = (from: number, to: number): Link => from * nodesMax + to

/** What a bad link does to each frame, each with its probability. */
export interface Noise {
  loss: number
  duplicate: number
  /** Frames overtake the ones before them. */
  reorder: number
  /** Frames take up to so much longer. */
  delay: number
  delayMs: number
}

export interface NetworkCounts {
  frames: number
  /** Into a partition. */
  cut: number
  lost: number
  duplicated: number
  reordered: number
  delayed: number
}

/**
 * Directed links that keep their order and lose nothing, until a fault says otherwise. It decides when a frame arrives; who
 * calls delivers it then.
 */
export class Network {
  readonly counts: NetworkCounts = { frames: 0, cut: 0, lost: 0, duplicated: 0, reordered: 0, delayed: 0 }
  readonly #seed: number
  readonly #latencyMs: readonly [min: number, max: number]
  /** How many faults cut each link now. */
  readonly #cuts = new Uint16Array(nodesMax * nodesMax)
  readonly #noises = new Set<{ links: ReadonlySet<Link>; noise: Noise }>()
  readonly #randoms = new Map<Link, SeededRandom>()
  /** No frame in order arrives before this. */
  readonly #lastArrivalMs = new Float64Array(nodesMax * nodesMax)

  constructor(seed: number, latencyMs: readonly [min: number, max: number]) {
    this.#seed = seed
    this.#latencyMs = latencyMs
  }

  /** Nothing passes these links until what is returned is called. */
  cut(links: ReadonlySet<Link>): () => void {
    for (const link of links) this.#cuts[link]!++
    return () => {
      for (const link of links) this.#cuts[link]!--
    }
  }

  disturb(links: ReadonlySet<Link>, noise: Noise): () => void {
    const entry = { links, noise }
    this.#noises.add(entry)
    return () => this.#noises.delete(entry)
  }

  /** Also asked when a frame arrives: a partition swallows what is on its way. */
  isCut(link: Link): boolean {
    return this.#cuts[link]! > 0
  }

  /** The moments at which a frame sent now arrives: none, one, or more. */
  arrivals(link: Link, nowMs: number): number[] {
    this.counts.frames++
    const random = this.#random(link)
    if (this.isCut(link)) {
      this.counts.cut++
      return []
    }
    let arrivesAtMs = nowMs + this.#latency(random)
    let inOrder = true
    let copies = 1
    for (const { links, noise } of this.#noises) {
      if (!links.has(link)) continue
      if (random.chance(noise.loss)) {
        this.counts.lost++
        return []
      }
      if (random.chance(noise.delay)) {
        this.counts.delayed++
        arrivesAtMs += random.next() * noise.delayMs
      }
      if (random.chance(noise.reorder)) inOrder = false
      if (random.chance(noise.duplicate)) copies++
    }
    if (inOrder) arrivesAtMs = Math.max(arrivesAtMs, this.#lastArrivalMs[link]!)
    else if (arrivesAtMs < this.#lastArrivalMs[link]!) this.counts.reordered++
    this.#lastArrivalMs[link] = Math.max(arrivesAtMs, this.#lastArrivalMs[link]!)
    const arrivals = [arrivesAtMs]
    for (; copies > 1; copies--) {
      this.counts.duplicated++
      arrivals.push(arrivesAtMs + random.next() * 50)
    }
    return arrivals
  }

  #latency(random: SeededRandom): number {
    const [min, max] = this.#latencyMs
    // The product makes long ones rare.
    return min + (max - min) * random.next() * random.next()
  }

  #random(link: Link): SeededRandom {
    let random = this.#randoms.get(link)
    if (random === undefined) {
      random = randomStream(this.#seed, `link ${link}`)
      this.#randoms.set(link, random)
    }
    return random
  }
}
