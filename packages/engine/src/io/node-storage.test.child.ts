/**
 * `node node-storage.test.child.js lock <lock file> <auto|off>` holds a lock until it is killed, and says so on its output.
 * `… die <segment file> <auto|off>` kills itself right after a commit.
 * `… sync <segment file> <auto|off>` prints, as JSON, the code of each step around a sync that is made to fail from outside.
 */
import type { CaskadeError } from '../errors.js'
import { openNodeStorage } from './node-storage.js'

const [scenario, path = '', mmap] = process.argv.slice(2)
const storage = openNodeStorage({ mmap: mmap as 'auto' | 'off' })

async function outcome(action: () => unknown): Promise<string> {
  try {
    await action()
    return 'done'
  } catch (error) {
    return (error as CaskadeError).code
  }
}

if (scenario === 'lock') {
  storage.lock(path, 'exclusive')
  console.log('locked')
  setInterval(() => {}, 1000)
} else if (scenario === 'die') {
  const segment = storage.createSegment(path, 65_536)
  segment.bytes.set(Buffer.from('committed'), 5000)
  segment.commit(5000, 5009)
  process.kill(process.pid, 'SIGKILL')
} else {
  const segment = storage.createSegment(path, 65_536)
  const steps = [
    () => segment.commit(0, 1),
    () => segment.syncLater(),
    () => segment.commit(0, 1),
    () => segment.syncLater(),
    () => segment.sync(),
    () => segment.close(),
  ]
  const codes: string[] = []
  for (const step of steps) codes.push(await outcome(step))
  console.log(JSON.stringify(codes))
}
