/** What a bucket does with concurrent values. */
export type Resolution =
  /** The one with the latest stamp stays; the others are lost, which `ResolutionCounters` says. */
  | { readonly rule: 'lww' }
  /** All are kept for the client to merge, up to `siblingsMax` (1..255). */
  | { readonly rule: 'siblings'; readonly siblingsMax: number }
  /** As `siblings`; a function of that name makes one value of them when a write is minted and when a read answers. */
  | { readonly rule: 'merge'; readonly name: string; readonly siblingsMax: number }

export const lww: Resolution = { rule: 'lww' }

/** Loud counts: a value that no client saw overwritten is gone. */
export interface ResolutionCounters {
  /** Concurrent values that lost by last-writer-wins. */
  lwwLosses: number
  /** Siblings merged away because the record had more than `siblingsMax`. */
  siblingOverflows: number
}
