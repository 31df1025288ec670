// What the benchmarks use of packages that may be missing on a platform: their own types are missing with them.

declare module 'lmdb' {
  export interface Database {
    put(key: Uint8Array, value: Uint8Array): Promise<boolean>
    transactionSync<T>(work: () => T): T
    putSync(key: Uint8Array, value: Uint8Array): void
    get(key: Uint8Array): Uint8Array | undefined
    getBinaryFast(key: Uint8Array): Uint8Array | undefined
    getRange(options?: object): Iterable<{ key: Uint8Array; value: Uint8Array }>
    readonly flushed: Promise<boolean>
    close(): Promise<void>
  }
  export function open(options: object): Database
}

declare module 'classic-level' {
  export class ClassicLevel {
    constructor(directory: string, options: object)
    open(options?: object): Promise<void>
    batch(operations: { type: 'put'; key: Uint8Array; value: Uint8Array }[], options?: object): Promise<void>
    put(key: Uint8Array, value: Uint8Array): Promise<void>
    getSync(key: Uint8Array): Uint8Array | undefined
    getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]>
    iterator(options: object): {
      nextv(size: number): Promise<[Uint8Array, Uint8Array][]>
      close(): Promise<void>
    }
    compactRange(start: Uint8Array, end: Uint8Array): Promise<void>
    close(): Promise<void>
  }
}

declare module '@nxtedition/rocksdb' {
  export class RocksLevel {
    constructor(directory: string, options: object)
    open(): Promise<void>
    put(key: Uint8Array, value: Uint8Array): Promise<void>
    batch(operations: { type: 'put'; key: Uint8Array; value: Uint8Array }[], options?: object): Promise<void>
    getMany(keys: readonly Uint8Array[], options?: object): Promise<(Uint8Array | undefined)[]>
    iterator(options: object): {
      nextv(size: number): Promise<[Uint8Array, Uint8Array][]>
      close(): Promise<void>
    }
    close(): Promise<void>
  }
}

declare module 'rocksdb-native' {
  interface WriteBatch {
    tryPut(key: Uint8Array, value: Uint8Array): void
    flush(): Promise<void>
  }
  interface ReadBatch {
    get(key: Uint8Array): Promise<Uint8Array | null>
    tryFlush(): void
  }
  export default class RocksDB {
    constructor(directory: string, options: object)
    ready(): Promise<void>
    put(key: Uint8Array, value: Uint8Array): Promise<void>
    write(options: object): WriteBatch
    read(options: object): ReadBatch
    iterator(range: object, options: object): AsyncIterable<{ key: Uint8Array; value: Uint8Array }>
    compactRange(): Promise<void>
    close(): Promise<void>
  }
}

declare module 'better-sqlite3' {
  interface Statement {
    run(...parameters: unknown[]): unknown
    get(...parameters: unknown[]): unknown
    all(...parameters: unknown[]): unknown[]
    iterate(...parameters: unknown[]): Iterable<unknown>
    raw(toggle: boolean): Statement
    pluck(toggle: boolean): Statement
  }
  export default class Sqlite {
    constructor(path: string)
    pragma(text: string): unknown
    exec(text: string): unknown
    prepare(text: string): Statement
    transaction<A extends unknown[]>(work: (...args: A) => void): (...args: A) => void
    close(): void
  }
}
