export type { Bucket, Member, MemberState, Move, ResolutionRule, Topology } from './coordination/topology.js'
export type {
  ClientRequest,
  Condition,
  DeleteRequest,
  GetManyRequest,
  GetRequest,
  Level,
  PutRequest,
  RequestId,
} from './node/client-request.js'
export { type DeliberateBug, deliberateBugs } from './node/deliberate-bugs.js'
export type { Actor, MemberNumber, NodeId, NodeIdentity } from './node/identity.js'
export { everyoneAlive, type Liveness, type Verdict } from './node/liveness.js'
export { defaultNodeConfig, type NodeConfig } from './node/node-config.js'
export type { NodeSink } from './node/node-sink.js'
export type { Now } from './node/now.js'
export type {
  ErrorResult,
  KeyResult,
  ManyResult,
  NotFoundResult,
  Result,
  ResultCode,
  ResultValue,
  ValueResult,
} from './node/result.js'
