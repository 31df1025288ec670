export { ConfigError } from './config/config-error.js'
export { type Node, startNode } from './node.js'
export type { NodeConfig } from './node-config.js'
