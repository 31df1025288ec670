import type { Output } from './command-context.js'

/** How far a long run is, in any unit whose total may be known. */
export interface Progress {
  /** `done` of `total` units (0: unknown), with a count of records. */
  update(done: number, total: number, records: number): void
  stop(): void
}

const plainEveryMs = 2000

/**
 * A bar with rate and time left on a terminal, a line every two seconds elsewhere. `clock`: milliseconds, never going back.
 */
export async function createProgress(
  verb: string,
  err: Output & NodeJS.WritableStream,
  shown: boolean,
  clock: () => number,
): Promise<Progress> {
  const started = clock()
  const rate = (records: number) =>
    Math.round(records / Math.max(0.001, (clock() - started) / 1000)).toLocaleString('en-US')
  if (!shown) return { update() {}, stop() {} }
  if (err.isTTY !== true) {
    let last = started
    return {
      update(done, total, records) {
        if (clock() - last < plainEveryMs) return
        last = clock()
        const part = total === 0 ? '' : ` ${Math.floor((100 * done) / total)} %,`
        err.write(`${verb}:${part} ${records.toLocaleString('en-US')} records, ${rate(records)}/s\n`)
      },
      stop() {},
    }
  }
  const { default: cliProgress } = await import('cli-progress')
  const bar = new cliProgress.SingleBar({
    stream: err,
    format: `${verb} {bar} {percentage} % | {records} records | {rate}/s | {eta_formatted} left`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    clearOnComplete: true,
    etaBuffer: 100,
  })
  bar.start(1, 0, { records: '0', rate: '-' })
  return {
    update(done, total, records) {
      bar.setTotal(Math.max(1, total))
      bar.update(Math.min(done, Math.max(1, total)), { records: records.toLocaleString('en-US'), rate: rate(records) })
    },
    stop() {
      bar.stop()
    },
  }
}
