// `npm run NAME -- ARGS`: prepares what the command needs, then becomes it. The command runs in this very process, so that
// signals, exit code and terminal are its own.
import './node-version.mjs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isMain, root } from './pnpm.mjs'
import { compile, install } from './prepare.mjs'

const commands = {
  caskade: { filter: '@caskade/server...', project: 'apps/server', entry: 'bin/caskade.js' },
  loadgen: { filter: '@caskade/loadgen...', project: 'apps/loadgen', entry: 'bin/loadgen.js' },
  crash: { filter: '@caskade/test...', project: 'test', entry: 'crash/crash-main.js' },
  sim: { filter: '@caskade/test...', project: 'test', entry: 'simulator/sim-main.js' },
  'bench:micro': { filter: '@caskade/bench...', project: 'bench', entry: 'micro/micro-main.js' },
  'bench:redis': { filter: '@caskade/bench...', project: 'bench', entry: 'redis/redis-main.js' },
  'bench:peers': { filter: '@caskade/bench-peers...', project: 'bench/peers', entry: 'peers-main.js' },
  'bench:large': { filter: '@caskade/bench-peers...', project: 'bench/peers', entry: 'large-main.js' },
  'bench:bitcask': { filter: '@caskade/bench-peers...', project: 'bench/peers', entry: 'bitcask-main.js' },
  soak: { filter: '@caskade/test...', project: 'test', entry: 'soak/soak-main.js' },
}

export async function become(name, args) {
  const { filter, project, entry } = commands[name]
  install(filter)
  compile(project)
  // It starts nodes: with the command line of this very tree.
  if (name === 'loadgen' && args.some((arg) => arg.startsWith('--store'))) {
    install(commands.caskade.filter)
    compile(commands.caskade.project)
    process.env.CASKADE_BIN ??= join(root, commands.caskade.project, 'dist', commands.caskade.entry)
  }
  const path = join(root, project, 'dist', entry)
  process.argv = [process.execPath, path, ...args]
  await import(pathToFileURL(path).href)
}

if (isMain(import.meta.url)) await become(process.argv[2], process.argv.slice(3))
