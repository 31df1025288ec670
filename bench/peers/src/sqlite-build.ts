import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/**
 * better-sqlite3 is the one peer without a prebuilt binary in its package, and install scripts are off here: compiles it
 * the first time, with the node-gyp that comes with npm (about a minute; needs a C++ compiler, make and Python). Where that
 * fails the report says that sqlite is missing.
 */
export async function buildSqlite(): Promise<void> {
  const directory = packageDirectory()
  if (directory === undefined || existsSync(join(directory, 'build/Release/better_sqlite3.node'))) return
  console.error('compiling better-sqlite3, once')
  const { status, stdout, stderr } = spawnSync('npm', ['run', 'build-release'], { cwd: directory, encoding: 'utf8' })
  if (status !== 0) console.error(`better-sqlite3 does not compile here:\n${(stdout + stderr).slice(-2000)}`)
}

function packageDirectory(): string | undefined {
  try {
    return dirname(createRequire(import.meta.url).resolve('better-sqlite3/package.json'))
  } catch {
    return undefined
  }
}
