export { loadgenMain } from './loadgen-cli.js'
export type { Output } from './loadgen-run.js'
