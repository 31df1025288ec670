/**
 * `node abstract-level.test.child.js <package> <class> <directory>` runs the test suite of abstract-level on databases in
 * the directory, and reports in TAP.
 */
import { mkdtempSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const require = createRequire(import.meta.url)
const test = require('tape')
const suite = require('abstract-level/test')

type LevelClass = new (location: string, options: object) => { _open(options: object): Promise<void> }

const [name = '', className = '', directory = ''] = process.argv.slice(2)
const { [className]: Level } = (await import(name)) as Record<string, LevelClass>

/** With a small log, because the suite leaves hundreds open. */
class SmallLevel extends (Level!) {
  override _open(options: object) {
    return super._open({ writeBufferSize: 64 << 10, ...options })
  }
}

suite({
  test,
  factory: (options: object) => new SmallLevel(mkdtempSync(join(directory, 'db-')), options),
})
