import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runBitcaskPhase } from './bitcask-run.js'

test('the keydir is measured without records', async () => {
  const figures = await runBitcaskPhase({ phase: 'keydir', directory: '', keys: 300_000, rounds: 0 })
  expect(figures).toMatchObject({ bench: 'keydir-insert', n: 300_000 })
  expect(figures.bytesPerKeyMax).toBeGreaterThan(8)
})

test('a small store is filled, opened and overwritten', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'caskade-bitcask-run-'))
  try {
    const run = (phase: 'fill' | 'open-snapshot' | 'overwrite', keys: number) =>
      runBitcaskPhase({ phase, directory, keys, rounds: 2 })
    expect(await run('fill', 2000)).toMatchObject({ bench: 'bitcask-close', diskBytes: expect.any(Number) })
    // Its process is killed at the end: here another store takes its place.
    expect((await runBitcaskPhase({ phase: 'overwrite', directory, keys: 2000, rounds: 2 })).n).toBe(4000)
    expect(await run('open-snapshot', 2000)).toMatchObject({ bench: 'open-snapshot' })
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})
