import { type DestinationStream, type Logger, pino } from 'pino'
import { ConfigError } from './config/config-error.js'

export type { Logger }

/**
 * JSON lines, one per event, to a file or to standard error. Written at once: a line about a failure is there even if the
 * next instruction ends the process. Never holds keys, values or secrets.
 */
export function createLogger(options: { level: string; file?: string | undefined }): Logger {
  let destination: DestinationStream
  try {
    destination = pino.destination(
      options.file === undefined ? { dest: 2, sync: true } : { dest: options.file, sync: true, append: true },
    )
  } catch (error) {
    throw new ConfigError(`cannot write the log file: ${error instanceof Error ? error.message : error}`)
  }
  return pino(
    {
      level: options.level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  )
}

/** The level where none is set: a person in front of a terminal wants to hear of trouble only. */
export function defaultLogLevel(toFile: boolean, terminal: boolean): string {
  return !toFile && terminal ? 'warn' : 'info'
}
