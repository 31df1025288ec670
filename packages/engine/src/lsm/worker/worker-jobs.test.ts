import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { resultOf, WorkerJobs } from './worker-jobs.js'

/** Closes stores while their threads are being started, in a process of its own: what went wrong ended the process. */
test('a store may be closed at any moment in the life of its threads', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'caskade-close-'))
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--input-type=module',
      '-e',
      `
      const { openStore } = await import(${JSON.stringify(new URL('../../index.js', import.meta.url).href)})
      for (let i = 0; i < 12; i++) {
        const store = await openStore(${JSON.stringify(join(directory, 'store'))})
        store.putSync(Buffer.from('key' + i), Buffer.from('value'))
        store.flush().catch(() => {})
        store.compactRange().catch(() => {})
        await new Promise((resolve) => setTimeout(resolve, 8 * i))
        await store.close()
      }
      console.log('closed')
      `,
    ])
    expect(stdout).toBe('closed\n')
  } finally {
    await rm(directory, { recursive: true })
  }
})

test('a thread without work ends, and the next job starts another', async () => {
  const jobs = new WorkerJobs('auto', 10)
  const job = { type: 'verify' as const, tables: [], kept: [] }
  for (let round = 0; round < 2; round++) {
    const result = resultOf(jobs, job)
    expect(jobs.running).toBe(true)
    expect(await result).toMatchObject({ files: 0 })
    while (jobs.running) await setTimeout(10)
  }
  await jobs.stop()
})

test('a thread that has work does not', async () => {
  const jobs = new WorkerJobs('auto', 1)
  const job = { type: 'verify' as const, tables: [], kept: [] }
  const results = Array.from({ length: 20 }, () => resultOf(jobs, job))
  expect(await Promise.all(results)).toHaveLength(20)
  await jobs.stop()
})
