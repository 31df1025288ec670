import { execFileSync } from 'node:child_process'
import { cpus, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'

/** What a figure depends on besides the code. */
export interface Machine {
  cpu: string
  cores: number
  memoryGiB: number
  platform: string
  node: string
}

export function machine(): Machine {
  const processors = cpus()
  return {
    cpu: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
  }
}

/** The commit that is measured, with `+` after it when the tree has changes besides results; `unknown` outside a clone. */
export function commit(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: fileURLToPath(new URL('..', import.meta.url)), encoding: 'utf8' }).trim()
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no', '--', ':/', ':!/bench/results')
    return git('rev-parse', '--short=12', 'HEAD') + (changed === '' ? '' : '+')
  } catch {
    return 'unknown'
  }
}
