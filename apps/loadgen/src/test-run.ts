import { loadgenMain } from './loadgen-cli.js'

const plain = (text: string) => text

export interface TestRun {
  code: number
  out: string
  notes: string
  /** The result lines of `--json`. */
  // biome-ignore lint/suspicious/noExplicitAny: result lines are read field by field
  results: Record<string, any>[]
}

/** The whole program in this process, with `--json --quiet`. */
export function runForTest(port: number, argv: readonly (string | number)[], signal?: AbortSignal): Promise<TestRun> {
  return runAsTyped(port, ['--json', '--quiet', '--warmup', '0', ...argv], signal)
}

/** The whole program in this process. */
export async function runAsTyped(
  port: number,
  argv: readonly (string | number)[],
  signal: AbortSignal = new AbortController().signal,
): Promise<TestRun> {
  const out: string[] = []
  const notes: string[] = []
  const code = await loadgenMain(
    ['--target', `127.0.0.1:${port}`, ...argv.map(String)],
    {
      out: (text) => out.push(text),
      note: (text) => notes.push(text),
      paint: { bold: plain, dim: plain, red: plain, yellow: plain },
    },
    signal,
  )
  const results = out.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line))
  return { code, out: out.join('\n'), notes: notes.join('\n'), results }
}
