// Brings the checkout to the state a command needs: dependencies of the lockfile, compiled sources. Quick when nothing changed.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { env, pnpm, root } from './pnpm.mjs'

const stampPath = join(root, '.tools', 'installed.json')

// What an install depends on. Another platform needs other prebuilt binaries.
function fingerprint() {
  const lockfile = createHash('sha256')
    .update(readFileSync(join(root, 'pnpm-lock.yaml')))
    .digest('hex')
  return `${process.platform}-${process.arch}-${lockfile}`
}

function readStamp() {
  const fresh = { fingerprint: fingerprint(), filters: [] }
  if (!existsSync(stampPath) || !existsSync(join(root, 'node_modules', '.modules.yaml'))) return fresh
  const stamp = JSON.parse(readFileSync(stampPath, 'utf8'))
  return stamp.fingerprint === fresh.fingerprint ? stamp : fresh
}

/**
 * Installs what the lockfile says for the packages of a pnpm filter such as `@caskade/server...`, or for `*`, all of them.
 * Skipped when this was done before for the same lockfile. A narrower install leaves what a wider one brought in place.
 */
export function install(filter, { force = false } = {}) {
  const stamp = readStamp()
  if (!force && (stamp.filters.includes('*') || stamp.filters.includes(filter))) return
  const selection = filter === '*' ? [] : ['--filter', filter]
  // --prod=false: the compiler is a development dependency, also where NODE_ENV is production.
  // confirmModulesPurge: never ask; there may be no terminal.
  pnpm([...selection, 'install', '--frozen-lockfile', '--prod=false', '--config.confirmModulesPurge=false'], {
    stdout: 'stderr',
  })
  const filters = filter === '*' ? ['*'] : [...stamp.filters, filter]
  mkdirSync(join(root, '.tools'), { recursive: true })
  writeFileSync(stampPath, `${JSON.stringify({ fingerprint: stamp.fingerprint, filters })}\n`)
}

/** Compiles a project and what it refers to, if anything changed; ends the process when it does not compile. */
export function compile(project) {
  prune(join(root, project))
  const compiler = [join(root, project), root]
    .map((at) => join(at, 'node_modules', 'typescript', 'bin', 'tsc'))
    .find(existsSync)
  const result = spawnSync(process.execPath, [compiler, '-b', project], { cwd: root, env, stdio: ['inherit', 2, 2] })
  if (result.status !== 0) process.exit(result.status ?? 1)
}

/** Removes compiled files whose source is gone: a stale test would run, a stale worker would ship. */
export function prune(project) {
  const outDir = join(project, 'dist')
  if (!existsSync(outDir)) return
  const sourceDir = existsSync(join(project, 'src')) ? join(project, 'src') : project
  for (const name of readdirSync(outDir, { recursive: true })) {
    const source = /\.(js|d\.ts|js\.map|d\.ts\.map)$/.test(name) && name.replace(/\.(js|d\.ts)(\.map)?$/, '.ts')
    const compiled = join(outDir, name)
    if (source && !existsSync(join(sourceDir, source)) && statSync(compiled).isFile()) rmSync(compiled)
  }
}

/** Directories of the workspace's packages, relative to the root. */
export function packageDirectories() {
  const inside = (parent) => readdirSync(join(root, parent)).map((name) => `${parent}/${name}`)
  const candidates = [...inside('packages'), ...inside('apps'), 'bench', 'bench/peers', 'test']
  return candidates.filter((directory) => existsSync(join(root, directory, 'package.json')))
}
