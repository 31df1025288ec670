export type { Actor, MemberNumber, NodeId } from './node/identity.js'
export type { Now } from './node/now.js'
