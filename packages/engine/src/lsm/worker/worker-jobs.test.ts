import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

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
