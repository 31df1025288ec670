import fs from 'node:fs'
import { openStore } from '../index.js'

// Run with few descriptors: takes all that are left, uses a store, gives them back, and says what it saw.
const [directory = '', backend] = process.argv.slice(2)
const options = { store: backend === 'bitcask' ? 'bitcask' : 'lsm' } as const
const key = (i: number) => Buffer.from(`key${i}`)

function takeAll(): () => void {
  const taken: number[] = []
  try {
    for (;;) taken.push(fs.openSync('/dev/null', 'r'))
  } catch {
    return () => {
      for (const fd of taken) fs.closeSync(fd)
    }
  }
}

const codeOf = (failed: Promise<unknown>) =>
  failed.then(
    () => 'none',
    (error: Error & { code?: string }) => `${error.code} ${/EMFILE|\bthread\b/.exec(error.message)?.[0]}`,
  )

const said: Record<string, unknown> = {}
const first = await openStore(directory, options)
for (let i = 0; i < 100; i++) first.putSync(key(i), key(i))
await first.close()

let giveBack = takeAll()
said.opening = await codeOf(openStore(directory, options))
giveBack()

const store = await openStore(directory, options)
for (let i = 100; i < 200; i++) store.putSync(key(i), key(i))
giveBack = takeAll()
for (let i = 200; i < 300; i++) store.putSync(key(i), key(i))
said.read = Buffer.from(store.getSync(key(250)) ?? []).toString()
said.flushing = await codeOf(store.flush())
said.stillRead = Buffer.from(store.getSync(key(5)) ?? []).toString()
giveBack()
await store.close()

const last = await openStore(directory, options)
said.kept = Array.from({ length: 300 }, (_, i) => last.getSync(key(i))).filter((value) => value !== undefined).length
last.putSync(key(300), key(300))
await last.close()
process.stdout.write(JSON.stringify(said))
