import { execFile } from 'node:child_process'
import { readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { caskadePath, ServerProcess } from '../server-process.js'
import { TemporaryDirectory } from '../temporary-directory.js'

// What the pages tell people to type does what they say. `console` blocks run against a real node, in order; `…` in the
// output stands for anything. `js` blocks run as modules; a comment after console.log is what it prints.
const root = fileURLToPath(new URL('../../..', import.meta.url))
const pages = ['README.md', 'docs/README.md']
const run = promisify(execFile)

function blocks(page: string, language: string): string[] {
  const text = readFileSync(join(root, page), 'utf8')
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map((match) => match[1]!)
}

interface Step {
  command: string
  output: string
}

function steps(block: string): Step[] {
  return block
    .split(/^\$ /m)
    .slice(1)
    .map((step) => {
      const [command, ...output] = step.trimEnd().split('\n')
      return { command: command!, output: output.join('\n') }
    })
}

function matches(expected: string, printed: string): boolean {
  const pattern = expected
    .split('…')
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('.+?')
  return new RegExp(`^${pattern}$`).test(printed)
}

const directory = new TemporaryDirectory()
let server: ServerProcess

beforeAll(async () => {
  server = await ServerProcess.start({ directory: join(directory.path, 'data') })
})

afterAll(async () => {
  expect(await server.signal('SIGTERM')).toBe(0)
  directory[Symbol.dispose]()
})

/** The page's command with this test's ports, run where redis-cli draws as on a terminal. */
async function type(command: string): Promise<string> {
  const here = command
    .replaceAll('7379', String(server.respPort))
    .replaceAll('7380', String(server.httpPort))
    .replace('npm run -s caskade --', `'${process.execPath}' '${caskadePath}'`)
    .replace('redis-cli', 'redis-cli --no-raw')
  const env = { ...process.env, CASKADE_HTTP_PORT: String(server.httpPort) }
  const { stdout } = await run('sh', ['-c', here], { env })
  return stdout.trimEnd()
}

test.each(pages)('commands of %s', async (page) => {
  const all = blocks(page, 'console').flatMap(steps)
  expect(all.length).toBeGreaterThan(0)
  for (const { command, output } of all) {
    const printed = await type(command)
    expect(matches(output, printed), `${command}\nprinted\n${printed}\ninstead of\n${output}`).toBe(true)
  }
})

test.each(pages.filter((page) => blocks(page, 'js').length > 0))('programs of %s', async (page) => {
  for (const block of blocks(page, 'js')) {
    using workplace = new TemporaryDirectory()
    symlinkSync(join(root, 'test/node_modules'), join(workplace.path, 'node_modules'))
    const printed = await run(process.execPath, ['--input-type=module', '-e', block], { cwd: workplace.path })
    const expected = [...block.matchAll(/console\.log\(.*\) \/\/ (.*)$/gm)].map((match) => match[1]!)
    expect(printed.stdout.trimEnd().split('\n')).toEqual(expected)
  }
})
