import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const bin = fileURLToPath(new URL('../bin/caskade.js', import.meta.url))
// Settings of whoever runs the tests must not reach them.
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('CASKADE_')))

export interface Run {
  code: number | null
  out: string
  err: string
}

export interface RunOptions {
  env?: Record<string, string>
  input?: string | Buffer
  cwd?: string
}

function start(args: readonly string[], { env = {}, cwd }: RunOptions): { child: ChildProcess; ended: Promise<Run> } {
  const child = spawn(process.execPath, [bin, ...args], { env: { ...environment, ...env }, cwd })
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout!.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr!.on('data', (chunk: Buffer) => err.push(chunk))
  const text = (chunks: Buffer[]) => Buffer.concat(chunks).toString()
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, out: text(out), err: text(err) }))
  return { child, ended }
}

/** Runs one command line to its end. */
export function caskade(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const { child, ended } = start(args, options)
  child.stdin!.end(options.input ?? '')
  return ended
}

/** A command line that is still running. */
export function startCaskade(args: readonly string[], options: RunOptions = {}) {
  const run = start(args, options)
  onTestFinished(async () => {
    if (run.child.exitCode === null && run.child.signalCode === null) run.child.kill('SIGKILL')
    await run.ended
  })
  return run
}

/** A node in a process of its own, on free ports. Resolves when it is ready. */
export async function startServer(dataDir: string, ...args: string[]) {
  const run = startCaskade(['server', '--data-dir', dataDir, '--resp-port', '0', '--http-port', '0', ...args])
  let seen = ''
  const ready = new Promise<void>((resolve) => {
    run.child.stdout!.on('data', (chunk: Buffer) => {
      seen += chunk
      if (seen.includes('Ctrl-C')) resolve()
    })
  })
  const early = await Promise.race([ready, run.ended])
  if (early !== undefined) throw new Error(`the node ended: ${early.err}`)
  const url = /HTTP +(http:\S+)/.exec(seen)![1]!
  const respPort = Number(/Redis +\S+:(\d+)/.exec(seen)![1])
  return { ...run, url, respPort, summary: seen, caskade: (...words: string[]) => caskade([...words, '--url', url]) }
}
