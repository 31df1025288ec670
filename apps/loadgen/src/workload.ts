import type { Distribution } from './key-chooser.js'

/** Operation kinds, by the number that hot paths carry. */
export const operationNames = ['read', 'update', 'insert', 'scan', 'read-modify-write'] as const
export const readOperation = 0
export const insertOperation = 2
export const scanOperation = 3
export const readModifyWriteOperation = 4

export interface Workload {
  name: string
  title: string
  /** Fraction of each kind, in the order of `operationNames`; they add up to 1. */
  proportions: readonly [read: number, update: number, insert: number, scan: number, readModifyWrite: number]
  distribution: Distribution
  fieldCount: number
  fieldBytes: number
  /** A scan asks for 1 to this many records, uniformly. */
  scanLengthMax: number
}

const ycsb = { distribution: 'zipfian', fieldCount: 10, fieldBytes: 100, scanLengthMax: 100 } as const

/** The core workloads of YCSB (Cooper et al., "Benchmarking Cloud Serving Systems with YCSB", SoCC 2010), and the project's own mix. */
export const workloads: readonly Workload[] = [
  { ...ycsb, name: 'a', title: 'update heavy', proportions: [0.5, 0.5, 0, 0, 0] },
  { ...ycsb, name: 'b', title: 'read mostly', proportions: [0.95, 0.05, 0, 0, 0] },
  { ...ycsb, name: 'c', title: 'read only', proportions: [1, 0, 0, 0, 0] },
  { ...ycsb, name: 'd', title: 'read latest', proportions: [0.95, 0, 0.05, 0, 0], distribution: 'latest' },
  { ...ycsb, name: 'e', title: 'short ranges', proportions: [0, 0, 0.05, 0.95, 0] },
  { ...ycsb, name: 'f', title: 'read-modify-write', proportions: [0.5, 0, 0, 0, 0.5] },
  {
    ...ycsb,
    name: 'mix-70-30',
    title: '70 % reads, 30 % writes of 100 bytes',
    proportions: [0.7, 0.3, 0, 0, 0],
    distribution: 'uniform',
    fieldCount: 1,
  },
]

/** By name: `a`, `A`, `ycsb-a`, `mix-70-30`. */
export function workloadNamed(name: string): Workload | undefined {
  const wanted = name.toLowerCase().replace(/^(ycsb|workload)-?/, '')
  return workloads.find((workload) => workload.name === wanted)
}

/** What result lines call it: `ycsb-a`, `mix-70-30`. */
export function benchName(workload: Workload): string {
  return workload.name.length === 1 ? `ycsb-${workload.name}` : workload.name
}
