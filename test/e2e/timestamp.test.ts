import { Redis } from 'ioredis'
import { describe, expect, test } from 'vitest'
import { ServerProcess } from '../server-process.js'
import { TemporaryDirectory } from '../temporary-directory.js'

describe('the time of a write', () => {
  test('is the same at every read, after kill -9, flush and compaction', { timeout: 120_000 }, async () => {
    using directory = new TemporaryDirectory()
    const start = () => ServerProcess.start({ directory: directory.path, args: ['--memtable-bytes', '1048576'] })
    let server = await start()
    try {
      const kv = (path: string) => `http://127.0.0.1:${server.httpPort}/api/v1/kv${path}`
      const timestamps = async () => {
        const found: number[] = []
        for (const key of ['http', 'resp']) {
          const answer = await fetch(kv(`/${key}`))
          found.push(((await answer.json()) as { timestamp: number }).timestamp)
        }
        return found
      }
      /** Enough to flush and compact several times. */
      const fill = async () => {
        const redis = new Redis({ port: server.respPort })
        const value = 'filler '.repeat(30)
        for (let i = 0; i < 40_000; i += 1000) {
          const pipeline = redis.pipeline()
          for (let j = i; j < i + 1000; j++) pipeline.set(`fill:${(j * 7919) % 40_000}`, `${j} ${value}`)
          await pipeline.exec()
        }
        await redis.quit()
      }

      const before = Date.now()
      const written = await fetch(kv('/http'), {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: '{"value": "1"}',
      })
      expect(written.status).toBe(200)
      const redis = new Redis({ port: server.respPort })
      await redis.set('resp', '2')
      await redis.quit()
      const after = Date.now()

      const first = await timestamps()
      for (const time of first) {
        expect(time).toBeGreaterThanOrEqual(before)
        expect(time).toBeLessThanOrEqual(after)
      }
      while (Date.now() <= after) await new Promise((resolve) => setTimeout(resolve, 1))
      expect(await timestamps()).toEqual(first)

      await server.signal('SIGKILL')
      server = await start()
      expect(await timestamps()).toEqual(first)

      for (let compactions = 0; compactions === 0; ) {
        await fill()
        const metrics = await (await fetch(`http://127.0.0.1:${server.httpPort}/metrics`)).text()
        compactions = Number(metrics.match(/^caskade_store_lsm_compactions\S* (\d+)/m)?.[1])
      }
      expect(await timestamps()).toEqual(first)

      expect(await server.signal('SIGTERM')).toBe(0)
      server = await start()
      expect(await timestamps()).toEqual(first)
    } finally {
      await server.signal('SIGKILL')
    }
  })
})
