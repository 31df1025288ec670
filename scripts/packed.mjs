// Packs the published packages as npm would get them, and checks the tarballs: what users install, not what lies in the tree.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pnpmCommand, root, status } from './pnpm.mjs'
import { packageDirectories } from './prepare.mjs'

/** Directories of the packages that are published. */
export function publishedDirectories() {
  return packageDirectories().filter((directory) => {
    const { private: isPrivate } = JSON.parse(readFileSync(join(root, directory, 'package.json'), 'utf8'))
    return isPrivate !== true
  })
}

/** publint and attw on every tarball; returns the names of the checks that failed. */
export function checkPacked() {
  const failed = []
  for (const directory of publishedDirectories()) {
    const target = mkdtempSync(join(tmpdir(), 'caskade-pack-'))
    try {
      const check = (name, args) => {
        if (status(...pnpmCommand(args)) !== 0) failed.push(`${name} ${directory}`)
      }
      check('pack', ['--dir', directory, 'pack', '--pack-destination', target])
      const tarball = readdirSync(target).find((name) => name.endsWith('.tgz'))
      if (tarball === undefined) continue
      check('publint', ['exec', 'publint', 'run', join(target, tarball), '--strict'])
      check('attw', ['exec', 'attw', join(target, tarball), '--profile', 'esm-only', '--no-emoji'])
    } finally {
      rmSync(target, { recursive: true, force: true })
    }
  }
  return failed
}
