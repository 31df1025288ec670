export { actorOf, epochOfActor, memberNumberMax, memberOfActor, mintingEpochMax } from './causality/actor.js'
export { compareStamps, HybridClock, logicalMax } from './causality/hybrid-clock.js'
export {
  counterOf,
  covers,
  descends,
  emptyVector,
  joinVectors,
  type VersionVector,
  versionOf,
} from './causality/version-vector.js'
export { isCollectable } from './convergence/collectable.js'
export { childrenOf, HashTree, treeFanout } from './convergence/hash-tree.js'
export { noRecord, type RecordHash, recordHash, treePlaceOf } from './convergence/record-hash.js'
export type { BucketOptions } from './coordination/bucket-changes.js'
export type { ChangeOutcome, ChangeRefusalCode } from './coordination/change-outcome.js'
export { createTopology, type NewCluster, type NewNode } from './coordination/create-topology.js'
export { type MoveStep, movesWanted } from './coordination/move-changes.js'
export {
  type Bucket,
  type ChangeId,
  defaultSettings,
  type Member,
  type MemberState,
  type Move,
  type Settings,
  type Topology,
} from './coordination/topology.js'
export { changeTopology, type TopologyChange } from './coordination/topology-change.js'
export type { ChangeResult, TopologyChangeRequest } from './coordination/topology-change-request.js'
export { decodeTopology, encodeTopology } from './coordination/topology-format.js'
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
export { ClusterNode, type ClusterNodeOptions } from './node/cluster-node.js'
export type { ColdReceiver, SendCold } from './node/cold-messages.js'
export {
  CoordinatedNode,
  type CoordinatedNodeConfig,
  type CoordinatedNodeOptions,
  type CoordinatedNodeSink,
  defaultCoordinatedNodeConfig,
} from './node/coordinated-node.js'
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
export { type Claim, loadsOf, type OwnerChange, ownerChanges } from './placement/claim.js'
export { claimPartitions, loadBound } from './placement/claim-policy.js'
export { describeClaim } from './placement/describe-claim.js'
export { preferenceList } from './placement/preference-list.js'
export { buildRing, type PlacementMember, type Ring } from './placement/ring.js'
export { partitionOfSlot, slotOf, slots } from './placement/slot.js'
export { type Context, decodeContext, encodeContext, joinContexts } from './record/context-format.js'
export { compareRecords, mergeRecords, type RecordOrder } from './record/merge-records.js'
export { type Mint, mintRecord, type NewWrite } from './record/mint-record.js'
export { contextOf, isVisible, recordTimestampMs, recordVersion, visibleSiblings } from './record/read-record.js'
export { RecordError, type RecordErrorCode } from './record/record-error.js'
export { checkRecord, decodeRecord, encodeRecord } from './record/record-format.js'
export type { RecordState, Sibling } from './record/record-state.js'
export { lww, type Resolution, type ResolutionCounters } from './record/resolution.js'
export type { MergeFunction } from './replication/answer.js'
export type { RecordObserver } from './replication/local-replica.js'
export {
  EngineReplicaStore,
  type EngineReplicaStoreOptions,
  replicaEngineOptions,
} from './store/engine-replica-store.js'
export { ModelReplicaStore } from './store/model-replica-store.js'
export {
  type KeyedRecord,
  type KeyStretch,
  type NamedBytes,
  type ReadablePage,
  type ReplicaStore,
  replicaKeyBytesMax,
} from './store/replica-store.js'
export { StoreError, type StoreErrorCode, storeErrorCode } from './store/store-error.js'
