import type { Command } from './command.js'

/** Indexes of the arguments that are keys, in a command of `count` arguments. */
export function keyIndexes(command: Command, count: number): number[] {
  const { firstKey, lastKey, keyStep } = command
  if (firstKey === 0) return []
  const last = lastKey < 0 ? count + lastKey : lastKey
  const found: number[] = []
  for (let i = firstKey; i <= last && i < count; i += keyStep) found.push(i)
  return found
}
