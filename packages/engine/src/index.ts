export { compareBytes, prefixSuccessor } from './bytes.js'
export * from './errors.js'
export { MemoryStore } from './memory/memory-store.js'
export * from './store.js'
