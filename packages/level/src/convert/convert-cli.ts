import { parseArgs } from 'node:util'
import { ConvertError } from './convert-error.js'
import { type ConvertProgress, convert } from './convert-run.js'

const help = `Usage: caskade-level convert [options] SOURCE TARGET

Copies the LevelDB directory SOURCE (of classic-level, level or leveldown) into the new directory TARGET, for
@caskade/level. TARGET is there when all of it is, and was compared with SOURCE; until then nothing is.
Reads with the classic-level of the project in the working directory. Nobody else may have SOURCE open.

Options:
  --no-verify  do not read both sides again to compare them
  -q, --quiet  no progress on standard error
  -h, --help   print this

Exit codes: 0 done, 1 it failed (the message says why; there is no TARGET), 2 wrong usage.
`

export interface ConvertStreams {
  out: { write(text: string): unknown }
  err: { write(text: string): unknown; isTTY?: boolean }
}

const count = (records: number) => records.toLocaleString('en-US')
const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`
const figures = ({ records, bytes }: ConvertProgress) =>
  `${count(records)} ${records === 1 ? 'record' : 'records'}, ${mebibytes(bytes)}`

/** The command line of `caskade-level`; resolves to the exit code. */
export async function convertCli(
  args: readonly string[],
  directory: string,
  { out, err }: ConvertStreams,
): Promise<number> {
  let parsed: ReturnType<typeof parse>
  try {
    parsed = parse(args)
  } catch (error) {
    err.write(`caskade-level: ${(error as Error).message}\n\n${help}`)
    return 2
  }
  const { values, positionals } = parsed
  if (values.help) {
    out.write(help)
    return 0
  }
  const [command, source, target, ...rest] = positionals
  if (command !== 'convert' || source === undefined || target === undefined || rest.length > 0) {
    err.write(help)
    return 2
  }
  const started = performance.now()
  const onProgress = (progress: ConvertProgress) => {
    if (!values.quiet && err.isTTY) err.write(`\r\x1b[K${progress.phase}: ${figures(progress)}`)
  }
  const clear = () => onTerminal(err, !values.quiet)
  try {
    const done = await convert({ source, target, project: directory, verify: !values['no-verify'], onProgress })
    clear()
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    out.write(
      `converted ${source} to ${target}: ${figures(done)}, ${values['no-verify'] ? 'not verified' : 'verified'}, in ${seconds} s\n`,
    )
    return 0
  } catch (error) {
    clear()
    err.write(`caskade-level: ${error instanceof ConvertError ? error.message : (error as Error).stack}\n`)
    return 1
  }
}

function onTerminal(err: ConvertStreams['err'], shown: boolean): void {
  if (shown && err.isTTY) err.write('\r\x1b[K')
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      'no-verify': { type: 'boolean' },
      quiet: { type: 'boolean', short: 'q' },
      help: { type: 'boolean', short: 'h' },
    },
  })
}
