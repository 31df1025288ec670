// `npm run build`: every package, in order of dependence, through turbo's cache.
import './node-version.mjs'
import { join } from 'node:path'
import { isMain, pnpmCommand, root, status } from './pnpm.mjs'
import { packageDirectories, prune } from './prepare.mjs'

/** Returns turbo's exit status. */
export function build() {
  for (const directory of packageDirectories()) prune(join(root, directory))
  return status(...pnpmCommand(['exec', 'turbo', 'run', 'build', '--output-logs=errors-only']))
}

if (isMain(import.meta.url)) process.exitCode = build()
