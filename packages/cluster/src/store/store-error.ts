/** What a replica's store may answer instead of doing it. The same words as the engine's codes. */
export type StoreErrorCode = 'CASKADE_CORRUPTION' | 'CASKADE_IO' | 'CASKADE_DISK_FULL' | 'CASKADE_READ_ONLY'

/** An operating error of a store that is no engine; the engine's own errors have the same `code`. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

const codes: ReadonlySet<unknown> = new Set<StoreErrorCode>([
  'CASKADE_CORRUPTION',
  'CASKADE_IO',
  'CASKADE_DISK_FULL',
  'CASKADE_READ_ONLY',
])

/** The code of an error that a store threw; `undefined` for anything else, which is a defect and is thrown on. */
export function storeErrorCode(error: unknown): StoreErrorCode | undefined {
  const code = (error as { code?: unknown } | undefined)?.code
  return codes.has(code) ? (code as StoreErrorCode) : undefined
}
