/** What must not crash a process is tried in one of its own: `node mmap.test.child.js <scenario> <file>`. Prints JSON. */
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { map } from './index.js'

const [scenario = '', file = ''] = process.argv.slice(2)
const collect = (globalThis as { gc?: () => void }).gc ?? (() => {})

function openMapping(access: 'read' | 'write' = 'write') {
  const fd = openSync(file, 'r+')
  const mapping = map(fd, { access })
  closeSync(fd)
  return mapping
}

function attempt(action: () => unknown): unknown {
  try {
    return action() ?? 'undefined'
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? (error as Error).name
  }
}

const scenarios: Record<string, () => unknown> = {
  async 'stale-views'() {
    const results: unknown[] = []
    for (const access of ['read', 'write'] as const) {
      const mapping = openMapping(access)
      const { bytes } = mapping
      const words = new Uint32Array(bytes.buffer, 0, 4)
      const part = Buffer.from(bytes.buffer, 4096, 100)
      const data = new DataView(bytes.buffer)
      const read = (array: Uint8Array, at: number) => array[at]
      // Hot enough to be compiled for a buffer that was never detached.
      for (let i = 0; i < 200_000; i++) read(bytes, i & 4095)
      mapping.close()
      mapping.close()
      for (const array of [bytes, words, part]) array[0] = 1
      results.push({
        lengths: [bytes.length, words.length, part.length, bytes.buffer.byteLength],
        hot: attempt(() => read(bytes, 17)),
        dataView: attempt(() => data.getUint8(0)),
        copy: attempt(() => part.toString('latin1')),
        write: attempt(() => bytes.set([1])),
        property: attempt(() => mapping.bytes),
        advise: attempt(() => mapping.advise('random')),
        sync: attempt(() => mapping.sync()),
        resident: attempt(() => mapping.resident()),
      })
    }
    collect()
    await setImmediate()
    return results
  },

  /** Somebody takes the buffer away before the close: its memory must stay addressable. */
  transferred() {
    const mapping = openMapping()
    const { bytes } = mapping
    const { transfer } = bytes.buffer as { transfer?: () => ArrayBuffer }
    let moved: Uint8Array | undefined
    if (transfer) moved = new Uint8Array(transfer.call(bytes.buffer))
    else {
      const stream = new ReadableStream({ type: 'bytes', start: (controller) => controller.enqueue(bytes) })
      return stream
        .getReader()
        .read()
        .then(({ value }) => {
          mapping.close()
          return value?.[0]
        })
    }
    mapping.close()
    return moved[0]
  },

  async collected() {
    for (let round = 0; round < 50; round++) {
      const mapping = openMapping()
      mapping.bytes[0] = round
      mapping.close()
      if (round % 10 === 0) collect()
      await setImmediate()
    }
    collect()
    await setImmediate()
    collect()
    return 'survived'
  },

  async cycles() {
    const cycle = async (count: number) => {
      for (let i = 0; i < count; i++) {
        const mapping = openMapping(i % 2 ? 'read' : 'write')
        mapping.bytes[i % 4096] = i
        mapping.close()
        if (i % 500 === 499) {
          await setImmediate()
          collect()
        }
      }
      await setImmediate()
      collect()
      return process.memoryUsage.rss()
    }
    const before = await cycle(2_000)
    const after = await cycle(10_000)
    const linux = process.platform === 'linux'
    const descriptors = linux ? readdirSync('/proc/self/fd').length : 0
    const mappings = linux ? readFileSync('/proc/self/maps', 'latin1').split(file).length - 1 : 0
    return { grownBytes: after - before, mappings, descriptors }
  },

  /** Each worker maps and closes; one leaves its mapping open, and one is stopped with it. */
  async workers() {
    const body = `
      const { parentPort, workerData } = require('node:worker_threads')
      const { openSync } = require('node:fs')
      import(workerData.module).then(({ map }) => {
        const mapping = map(openSync(workerData.file, 'r+'), { access: 'write' })
        const { bytes } = mapping
        Atomics.add(bytes, 100, 1)
        if (workerData.close) mapping.close()
        parentPort.postMessage(bytes.length)
        if (workerData.hang) setInterval(() => {}, 1000)
      })`
    const run = async (options: { close: boolean; hang: boolean }) => {
      const module = new URL('./index.js', import.meta.url).href
      const worker = new Worker(body, { eval: true, workerData: { module, file, ...options } })
      const exited = new Promise((resolve) => worker.once('exit', resolve))
      const length = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
      if (options.hang) await worker.terminate()
      await exited
      return length
    }
    const lengths = await Promise.all([
      run({ close: true, hang: false }),
      run({ close: false, hang: false }),
      run({ close: false, hang: true }),
    ])
    collect()
    const mapping = openMapping('read')
    const sum = mapping.bytes[100]
    mapping.close()
    return { lengths, sum }
  },
}

const outcome = await scenarios[scenario]?.()
console.log(JSON.stringify(outcome))
