import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ClassicLevel } from 'classic-level'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CaskadeLevel } from './caskade-level.js'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'caskade-level-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

interface Outcome {
  passed: number
  /** Each with its place and what came instead. */
  failed: string[]
  code: number | null
}

function runSuite(packageName: string, className: string): Promise<Outcome> {
  const child = fileURLToPath(new URL('abstract-level.test.child.js', import.meta.url))
  return new Promise((resolve) => {
    const run = execFile(
      process.execPath,
      [child, packageName, className, directory],
      { maxBuffer: 64 << 20 },
      (_error, stdout, stderr) => {
        const failed: string[] = stdout.match(/^not ok [\s\S]*?^ {2}\.\.\.$/gm) ?? []
        if (run.exitCode !== 0 && failed.length === 0) failed.push(stderr)
        resolve({ passed: stdout.match(/^ok /gm)?.length ?? 0, failed, code: run.exitCode })
      },
    )
  })
}

test('declares to support what classic-level does', async () => {
  const ours = new CaskadeLevel(join(directory, 'ours'))
  const classic = new ClassicLevel(join(directory, 'classic'))
  expect(ours.supports).toEqual(classic.supports)
  await Promise.all([ours.close(), classic.close()])
})

test('passes the suite of abstract-level, with as many assertions as classic-level', { timeout: 600_000 }, async () => {
  const index = new URL('index.js', import.meta.url).href
  const ours = await runSuite(index, 'CaskadeLevel')
  expect(ours.failed).toEqual([])
  expect(ours.code).toBe(0)
  const classic = await runSuite('classic-level', 'ClassicLevel')
  expect(ours.passed).toBe(classic.passed)
  expect(ours.passed).toBeGreaterThan(5000)
})
