import type { Backend, BackendOptions } from './backends.js'
import { PowerCutStorage } from './power-cut-storage.js'

export const options: BackendOptions = { durability: 'sync', segmentBytes: 12 << 10, cacheBytes: 0 }
export const bytes = (text: string) => new Uint8Array(Buffer.from(text))

/** Every value each key ever had: what a damaged store may not go beyond. */
export type History = Map<string, Set<string>>

export interface Intact {
  disk: PowerCutStorage
  /** What is in the store. */
  model: Map<string, string>
  history: History
  files: Map<string, Uint8Array>
}

/**
 * A small store as a crash left it: what maintenance wrote and what came later (tables at two levels; merged files and settled ones), a
 * recovered segment in the manifest, and an unfinished one, all synced.
 */
export async function makeIntact(
  { open }: Backend,
  mapped: boolean,
  { firstSalt = 1, word = 'of' } = {},
): Promise<Intact> {
  const disk = new PowerCutStorage({ mapped })
  let salt = firstSalt
  const salted = { ...options, salt: () => salt++ }
  const model = new Map<string, string>()
  const history: History = new Map()
  let store = await open(disk, salted)
  const put = async (i: number, round: number) => {
    const key = `key ${i}`
    const value = `value ${i} ${word} round ${round} `.repeat(4)
    model.set(key, value)
    history.set(key, (history.get(key) ?? new Set()).add(value))
    await store.put(bytes(key), bytes(value))
  }
  for (let i = 0; i < 60; i++) await put(i, 0)
  await store.compactRange()
  for (let i = 0; i < 60; i += 3) await put(i, 1)
  await store.flush()
  for (let i = 1; i < 60; i += 5) await put(i, 2)
  // The next open finds a segment to replay, and another process dies after it has written to its own.
  const crashed = disk.processCrashClone()
  store = await open(crashed, { ...salted, segmentBytes: 16 << 10 }, () => {})
  for (let i = 2; i < 60; i += 7) await put(i, 3)
  const left = crashed.processCrashClone()
  const files = new Map(left.list('/store').map((name) => [name, left.contentOf(`/store/${name}`).slice()]))
  return { disk: left, model, history, files }
}

export function copyOf(intact: Intact): PowerCutStorage {
  const disk = new PowerCutStorage({ mapped: intact.disk.mapped })
  disk.makeDirectory('/store')
  for (const [name, content] of intact.files) disk.place(`/store/${name}`, content)
  return disk
}

/** Without the zeros at the end of a segment. */
export function usedBytes(content: Uint8Array): number {
  return content.findLastIndex((byte) => byte !== 0) + 1
}
