/** Holds a lock until it is killed: `node node-storage.test.child.js <lock file> <auto|off>`. Says so on its output. */
import { openNodeStorage } from './node-storage.js'

const [path = '', mmap] = process.argv.slice(2)
openNodeStorage({ mmap: mmap as 'auto' | 'off' }).lock(path)
console.log('locked')
setInterval(() => {}, 1000)
