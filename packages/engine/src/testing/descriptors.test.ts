import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'caskade-descriptors-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const child = fileURLToPath(new URL('descriptors.test.child.js', import.meta.url))

test.skipIf(process.platform === 'win32').each(['lsm', 'bitcask'])(
  'no descriptor left: a coded error, a store that goes on reading, and nothing lost (%s)',
  async (backend) => {
    const command = 'ulimit -n 300 && exec "$0" "$@"'
    const run = promisify(execFile)('sh', ['-c', command, process.execPath, child, join(directory, 's'), backend])
    const said = JSON.parse((await run).stdout)
    expect(said).toMatchObject({
      opening: 'CASKADE_IO EMFILE',
      read: 'key250',
      flushing: 'CASKADE_IO EMFILE',
      stillRead: 'key5',
      kept: 300,
    })
  },
)
