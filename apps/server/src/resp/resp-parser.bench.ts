import { RespParser } from './resp-parser.js'

const limits = { argumentsMax: 1024, bulkBytesMax: 1 << 20 }
const key = 'key:000000012345'
const set = `*3\r\n$3\r\nSET\r\n$16\r\n${key}\r\n$100\r\n${'v'.repeat(100)}\r\n`
const get = `*2\r\n$3\r\nGET\r\n$16\r\n${key}\r\n`

/** Parses one command of an endless pipeline of 64. */
function parse(command: string): () => void {
  const bytes = Buffer.from(command.repeat(64), 'latin1')
  let parser = new RespParser(limits)
  return () => {
    if (parser.next(bytes, bytes.length) === 'command') return
    parser = new RespParser(limits)
  }
}

export const cases = {
  'RESP parse SET of 100 bytes': () => parse(set),
  'RESP parse GET': () => parse(get),
}
