// Runs the pnpm version pinned in package.json, fetching it with npm the first time: a machine needs only Node and npm.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))
const toolsDir = join(root, '.tools')
const packageJson = (directory) => JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))

/** Environment in which `pnpm` is the pinned one (turbo and package scripts look it up on the PATH). */
export const env = {
  ...process.env,
  PATH: [join(toolsDir, 'node_modules', '.bin'), join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter),
  TURBO_TELEMETRY_DISABLED: '1',
  DO_NOT_TRACK: '1',
}

export function run(command, args) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', env, shell: process.platform === 'win32' })
  if (result.error) throw result.error
  if (result.status !== 0) process.exit(result.status ?? 1)
}

export function pnpm(args) {
  const wanted = packageJson(root).packageManager.split('@')[1]
  const home = join(toolsDir, 'node_modules', 'pnpm')
  const have = existsSync(join(home, 'package.json')) ? packageJson(home).version : undefined
  if (have !== wanted) {
    console.error(`fetching pnpm ${wanted} into .tools/`)
    run('npm', [
      'install',
      '--prefix',
      toolsDir,
      '--no-save',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      `pnpm@${wanted}`,
    ])
  }
  run(process.execPath, [join(home, 'bin', 'pnpm.cjs'), ...args])
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) pnpm(process.argv.slice(2))
