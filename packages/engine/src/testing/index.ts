/*
 * `@caskade/engine/testing`: the engine on storage that loses power, for the tests of other packages of this repository;
 * and its parts that are measured alone.
 * Not published: `publishConfig.exports` leaves it out, as `files` leaves out what is behind it.
 */
export { Keydir } from '../bitcask/keydir/keydir.js'
export { openInlineBitcask } from './inline-bitcask.js'
export { openInline, storeDirectory } from './inline-store.js'
export { type PowerCutOptions, PowerCutStorage } from './power-cut-storage.js'
export { tableDataEnd } from './table-data-end.js'
