const chunkMax = 512

/** Names in order, in memory: chunks of some hundred, so that one more costs a few comparisons and a short move. */
export class SortedNames {
  readonly #chunks: string[][] = []

  add(name: string): void {
    const number = Math.max(this.#chunkOf(name), 0)
    const chunk = this.#chunks[number]
    if (chunk === undefined) {
      this.#chunks.push([name])
      return
    }
    const at = firstNotBefore(chunk, name)
    if (chunk[at] === name) return
    chunk.splice(at, 0, name)
    if (chunk.length > chunkMax) this.#chunks.splice(number + 1, 0, chunk.splice(chunkMax / 2))
  }

  remove(name: string): void {
    const number = this.#chunkOf(name)
    const chunk = this.#chunks[number]
    if (chunk === undefined) return
    const at = firstNotBefore(chunk, name)
    if (chunk[at] !== name) return
    chunk.splice(at, 1)
    if (chunk.length === 0) this.#chunks.splice(number, 1)
  }

  /** Up to `limit` that begin with `prefix` and follow `after`, ascending. */
  page(prefix: string, after: string | undefined, limit: number): string[] {
    const from = after !== undefined && after >= prefix ? after : prefix
    const page: string[] = []
    for (let number = Math.max(this.#chunkOf(from), 0); number < this.#chunks.length; number++) {
      const chunk = this.#chunks[number]!
      for (let at = firstNotBefore(chunk, from); at < chunk.length; at++) {
        const name = chunk[at]!
        if (name === after) continue
        if (page.length === limit || !name.startsWith(prefix)) return page
        page.push(name)
      }
    }
    return page
  }

  /** The last chunk that does not begin behind the name: -1 if all do. */
  #chunkOf(name: string): number {
    let low = 0
    let high = this.#chunks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#chunks[middle]![0]! <= name) low = middle + 1
      else high = middle
    }
    return low - 1
  }
}

function firstNotBefore(names: readonly string[], name: string): number {
  let low = 0
  let high = names.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (names[middle]! < name) low = middle + 1
    else high = middle
  }
  return low
}
