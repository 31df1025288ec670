export { CaskadeLevel, type ChainedBatch } from './caskade-level.js'
export type * from './level-options.js'
