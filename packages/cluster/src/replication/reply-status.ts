import type { ResultCode } from '../node/result.js'

/** What a peer answers, as one byte. */
export const replyStatus = {
  ok: 0,
  /** A get: no record of the key. */
  absent: 1,
  /** The sender's owners of this partition are older than the receiver's: nothing was done. */
  stale: 2,
  /** They are newer: the receiver fetches the topology. Nothing was done. */
  behind: 3,
  diskFull: 4,
  readOnly: 5,
  /** The replica's own record does not match its checksum. Nothing was done. */
  damaged: 6,
  overloaded: 7,
  /** A forwarded write was minted, and too few acknowledged it in time. */
  uncertain: 8,
  /** A forwarded write was not minted. */
  unavailable: 9,
  condition: 10,
  badRequest: 11,
} as const

export type ReplyStatus = (typeof replyStatus)[keyof typeof replyStatus]

const codes: readonly (ResultCode | undefined)[] = [
  undefined,
  undefined,
  'CASKADE_UNAVAILABLE',
  'CASKADE_UNAVAILABLE',
  'CASKADE_DISK_FULL',
  'CASKADE_READ_ONLY',
  'CASKADE_UNAVAILABLE',
  'CASKADE_OVERLOADED',
  'CASKADE_UNCERTAIN',
  'CASKADE_UNAVAILABLE',
  'CASKADE_CONDITION',
  'CASKADE_BAD_REQUEST',
]

/** What a client is told when this status decides its request. */
export const resultCodeOf = (status: number): ResultCode => codes[status] ?? 'CASKADE_UNAVAILABLE'
