const slots = 4096

/**
 * Which keys have writes that are not durable yet, so that an answer about one of those waits and all others do not. A small
 * table by hash of the key: two keys in one slot wait for each other, which is safe.
 */
export class UndurableKeys {
  readonly #tickets = new Float64Array(slots)

  note(partition: number, key: Uint8Array, ticket: number): void {
    this.#tickets[slotOf(partition, key)] = ticket
  }

  /** What must be durable before anybody is told what the store has for the key. */
  ticketOf(partition: number, key: Uint8Array): number {
    return this.#tickets[slotOf(partition, key)]!
  }
}

/** FNV-1a. */
function slotOf(partition: number, key: Uint8Array): number {
  let hash = 0x811c9dc5 ^ partition
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key[i]!, 0x01000193)
  return (hash ^ (hash >>> 15)) & (slots - 1)
}
