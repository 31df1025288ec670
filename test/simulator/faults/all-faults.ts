import type { FaultKind } from '../fault.js'
import { clockJump } from './clock.js'
import { bitRot, diskFull, diskLost, slowDisk } from './disk.js'
import { delay, duplication, loss, reordering } from './noise.js'
import { bridge, flapping, fullPartition, oneWayPartition } from './partition.js'
import { crash, massCrash, pause, powerCut, restart } from './process.js'
import { crashOnAcknowledgement, crashOnAdoption } from './targeted.js'
import { abortedMove, join, leave, voters } from './topology.js'

const faults: readonly FaultKind[] = [
  loss,
  duplication,
  reordering,
  delay,
  fullPartition,
  oneWayPartition,
  bridge,
  flapping,
  crash,
  massCrash,
  powerCut,
  restart,
  pause,
  clockJump,
  diskFull,
  slowDisk,
  bitRot,
  join,
  leave,
  voters,
  abortedMove,
  crashOnAcknowledgement,
  crashOnAdoption,
  diskLost,
]

/** Every kind of fault, by name. To add one: define it beside these and list it here. */
export const faultKinds: ReadonlyMap<string, FaultKind> = new Map(faults.map((fault) => [fault.name, fault]))
