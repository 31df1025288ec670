import type { CommandArguments } from './command-arguments.js'
import { integerArgument } from './command-replies.js'
import type { ReplyWriter } from './reply-writer.js'

/** Latest expiry the store can hold, ms since the epoch (year 287396). */
export const expiresAtMax = Number.MAX_SAFE_INTEGER

const secondsMax = 2 ** 63 / 1000

export const invalidExpireTime = (fullName: string) => `ERR invalid expire time in '${fullName}' command`

export type ExpireUnit = 'seconds' | 'milliseconds'

/**
 * Argument `index` of a SET or GETEX option as an absolute time in ms, or NaN after an error reply. `base` is now for a
 * duration and 0 for a time. Positive ones only, as Redis.
 */
export function positiveExpireTime(
  args: CommandArguments,
  index: number,
  unit: ExpireUnit,
  base: number,
  fullName: string,
  out: ReplyWriter,
): number {
  const amount = integerArgument(args, index, out)
  if (Number.isNaN(amount)) return Number.NaN
  const time = base + (unit === 'seconds' ? amount * 1000 : amount)
  if (amount > 0 && time <= expiresAtMax) return time
  out.error(invalidExpireTime(fullName))
  return Number.NaN
}

/** As `positiveExpireTime` for EXPIRE and its kin, where a time in the past deletes. */
export function expireTime(
  args: CommandArguments,
  index: number,
  unit: ExpireUnit,
  base: number,
  fullName: string,
  out: ReplyWriter,
): number {
  const amount = integerArgument(args, index, out)
  if (Number.isNaN(amount)) return Number.NaN
  const time = base + (unit === 'seconds' ? amount * 1000 : amount)
  if ((unit === 'milliseconds' || Math.abs(amount) <= secondsMax) && time <= expiresAtMax) return time
  out.error(invalidExpireTime(fullName))
  return Number.NaN
}
