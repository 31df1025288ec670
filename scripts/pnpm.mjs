// Runs the pnpm version pinned in package.json, fetching it with npm the first time: a machine needs only Node and npm.
import './node-version.mjs'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, realpathSync } from 'node:fs'
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

/** Runs a command in the root and returns its exit status. `stdout: 'stderr'` keeps standard output for the command to come. */
export function status(command, args, { stdout = 'inherit' } = {}) {
  const stdio = ['inherit', stdout === 'stderr' ? 2 : 'inherit', 'inherit']
  const result = spawnSync(command, args, { cwd: root, stdio, env, shell: process.platform === 'win32' })
  if (result.error) throw result.error
  return result.status ?? 1
}

/** As `status`, but ends this process when the command fails. */
export function run(command, args, options) {
  const code = status(command, args, options)
  if (code !== 0) process.exit(code)
}

/** Command line of the pinned pnpm; fetches it if need be. */
export function pnpmCommand(args) {
  const wanted = packageJson(root).packageManager.split('@')[1]
  const home = join(toolsDir, 'node_modules', 'pnpm')
  const have = existsSync(join(home, 'package.json')) ? packageJson(home).version : undefined
  if (have !== wanted) {
    console.error(`fetching pnpm ${wanted} into .tools/`)
    const quiet = ['--no-save', '--no-audit', '--no-fund', '--loglevel=error']
    run('npm', ['install', '--prefix', toolsDir, ...quiet, `pnpm@${wanted}`], { stdout: 'stderr' })
  }
  return [process.execPath, [join(home, 'bin', 'pnpm.cjs'), ...args]]
}

export function pnpm(args, options) {
  run(...pnpmCommand(args), options)
}

/** Whether the module at `url` is the one Node was started with. */
export const isMain = (url) => url === pathToFileURL(realpathSync(process.argv[1])).href

if (isMain(import.meta.url)) pnpm(process.argv.slice(2))
