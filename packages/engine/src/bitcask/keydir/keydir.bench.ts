import { slotCount } from '../../key-slot.js'
import { Keydir } from './keydir.js'

const keys = 1 << 20
const hashOf = (i: number) => Math.imul(i, 0x9e3779b1) >>> 0
const slotOf = (i: number) => Math.imul(i, 0x85ebca6b) >>> 18

function filled(): Keydir {
  const keydir = new Keydir()
  for (let i = 0; i < keys; i++) keydir.insert(slotOf(i), hashOf(i), 1, 4096 + 4 * i)
  return keydir
}

export const cases = {
  'keydir insert and remove': () => {
    const keydir = filled()
    let i = 0
    return () => {
      i = (i + 514_229) & (keys - 1)
      keydir.find(slotOf(i), hashOf(i))
      keydir.remove()
      keydir.insert(slotOf(i), hashOf(i), 1, 4096 + 4 * i)
    }
  },
  'keydir find': () => {
    const keydir = filled()
    let i = 0
    return () => {
      i = (i + 514_229) & (keys - 1)
      return keydir.find(slotOf(i), hashOf(i)) ? keydir.offset : 0
    }
  },
  'keydir find absent': () => {
    const keydir = filled()
    let i = 0
    return () => {
      i = (i + 514_229) & (keys - 1)
      return keydir.find(slotOf(i), ~hashOf(i) >>> 0)
    }
  },
  'keydir entries of a slot': () => {
    const keydir = filled()
    let slot = 0
    return () => keydir.entries(slot++ % slotCount).length
  },
}
