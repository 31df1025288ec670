import { writeSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { openStore, type Store } from '@caskade/engine'
import { acknowledgementFd, type EngineAnswer, type EngineRequest } from './engine-child.js'
import { type Operation, Workload, type WorkloadOptions } from './workload.js'

const bytes = (text: string) => Buffer.from(text, 'latin1')
const text = (value: Uint8Array) => Buffer.from(value).toString('latin1')

function perform(store: Store, { kind, writes }: Operation): void {
  const [key, value] = writes[0]!
  switch (kind) {
    case 'set':
      store.putSync(bytes(key), bytes(value!))
      return
    case 'increment':
      store.atomic(() => {
        const before = store.getSync(bytes(key))
        store.putSync(bytes(key), bytes(String(before === undefined ? 1 : Number(text(before)) + 1)))
      })
      return
    case 'multi':
      store.atomic(() => {
        for (const [each, put] of writes)
          if (put === undefined) store.deleteSync(bytes(each))
          else store.putSync(bytes(each), bytes(put))
      })
      return
    case 'del':
    case 'mset':
      store.writeSync(
        writes.map(([each, put]) =>
          put === undefined
            ? { type: 'delete', key: bytes(each) }
            : { type: 'put', key: bytes(each), value: bytes(put) },
        ),
      )
  }
}

async function write(store: Store, options: WorkloadOptions, depthMax: number): Promise<never> {
  const workload = new Workload(options)
  for (;;) {
    let unacknowledged = 0
    for (let i = 0; i < depthMax; i++) {
      perform(store, workload.next())
      unacknowledged++
      if (store.durable() !== undefined) continue
      writeSync(acknowledgementFd, Buffer.alloc(unacknowledged))
      unacknowledged = 0
    }
    await store.durable()
    if (unacknowledged > 0) writeSync(acknowledgementFd, Buffer.alloc(unacknowledged))
    await store.backpressure()
    await setImmediate()
  }
}

async function readAll(store: Store): Promise<Map<string, string>> {
  const records = new Map<string, string>()
  for await (const { key, value } of store.scan()) {
    const read = store.getSync(key)
    const same = read !== undefined && Buffer.compare(read, value) === 0
    records.set(text(key), same ? text(value) : 'scan and get differ')
  }
  return records
}

async function close(store: Store): Promise<void> {
  const { errors } = await store.verify()
  await store.close()
  if (errors.length > 0) throw new Error(`verify found ${JSON.stringify(errors.slice(0, 3))}`)
}

let store: Store | undefined

async function answer(request: EngineRequest): Promise<EngineAnswer> {
  if (request.type === 'open') store = await openStore(request.directory, request.options)
  else if (request.type === 'read-all') return { type: 'done', records: await readAll(store!) }
  else if (request.type === 'write') await write(store!, request.workload, request.depthMax)
  else await close(store!)
  return { type: 'done' }
}

process.on('message', async (request: EngineRequest) => {
  try {
    process.send!(await answer(request))
    // From this side: a parent that disconnects never hears that the process has closed.
    if (request.type === 'close') process.disconnect()
  } catch (error) {
    process.send!({ type: 'failed', message: String((error as Error).stack ?? error) } satisfies EngineAnswer)
  }
})
