// `npm run release`: everything a release does short of publishing. To publish: `changeset version`, commit, then
// `changeset publish` (see CONTRIBUTING.md).
import './node-version.mjs'
import { build } from './build.mjs'
import { checkPacked } from './packed.mjs'
import { pnpm } from './pnpm.mjs'
import { install } from './prepare.mjs'

install('*')
if (build() !== 0) process.exit(1)
const failed = checkPacked()
if (failed.length > 0) {
  console.error(`failed: ${failed.join(', ')}`)
  process.exit(1)
}
pnpm(['exec', 'changeset', 'status'])
pnpm(['--recursive', 'publish', '--dry-run', '--no-git-checks'])
