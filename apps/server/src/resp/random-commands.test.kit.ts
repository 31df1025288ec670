/** mulberry32: small, seeded, good enough to vary tests. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export type Words = (string | Buffer)[]

const keys = ['a', 'b', 'c', 'key:1', 'key:2', 'key:3', 'other', Buffer.from([0, 255, 13, 10]), 'h[a]llo', 'x\\y']
const values = [
  '',
  '0',
  '1',
  '-1',
  '10',
  '007',
  '9223372036854775807',
  '-9223372036854775808',
  '9007199254740993',
  '3.25',
  '-0.1',
  '1e3',
  ' 1',
  '1 ',
  'hello world',
  'ohmytext',
  'mynewtext',
  Buffer.from([0, 1, 2, 128, 255, 13, 10]),
  'x'.repeat(100),
  Buffer.from([255, 255, 240, 0, 0]),
  Buffer.alloc(40),
]
const integers = ['0', '1', '-1', '2', '5', '7', '8', '12', '100', '-5', '-100', '63', '1000', '67108863']
const oddIntegers = [
  '67108864',
  '9223372036854775807',
  '-9223372036854775808',
  '9223372036854775808',
  '01',
  '+1',
  '',
  'abc',
  '1.5',
  ' 1',
  '4294967296',
]
const floats = [
  '0.1',
  '-0.1',
  '5',
  '3.0e3',
  '1e-20',
  '-2.5',
  '+7',
  '.5',
  '5.',
  '1234567.891',
  '100000000000000000000',
  '1e400',
  'nan',
  'inf',
  '-infinity',
  'abc',
  '',
  '1e5000',
  '0x10z',
]
const globs = [
  '*',
  'key:*',
  '?',
  '[ab]',
  '[^a]',
  '[a-c]*',
  'h\\[a\\]llo',
  'nothing*',
  'key:[1',
  '*:*',
  '**',
  'x\\\\y',
  '[]',
  '[',
  'a\\',
  '*?*',
]

type Make = () => string | Buffer

/** Commands that two servers with the same data must answer alike, with some that are wrong in form or type. */
export class RandomCommands {
  readonly random: () => number
  readonly #shapes: [name: string, ...make: (Make | readonly (() => Words)[])[]][]

  constructor(random: () => number) {
    this.random = random
    const key = () => this.pick(keys)
    const value = () => this.pick(values)
    const integer = () => this.pick(this.random() < 0.8 ? integers : oddIntegers)
    const float = () => this.pick(floats)
    const glob = () => this.pick(globs)
    // Far away, and never twice the same: two servers must not differ by the milliseconds between them.
    const seconds = () =>
      this.random() < 0.8
        ? String(1000 + Math.floor(this.random() * 1e8))
        : this.pick(['0', '-1', 'x', '-100', '9223372036854775807', '99999999999999999999'])
    const milliseconds = () =>
      this.random() < 0.8
        ? String(1e6 + Math.floor(this.random() * 1e12))
        : this.pick(['0', '-1', 'x', '9223372036854775807'])
    const unixSeconds = () =>
      this.random() < 0.8
        ? String(4e9 + Math.floor(this.random() * 1e9))
        : this.pick(['0', '-1', '1', 'x', '9223372036854775807'])
    const unixMilliseconds = () =>
      this.random() < 0.8 ? String(4e12 + Math.floor(this.random() * 1e12)) : this.pick(['0', '-1', '1', 'x'])
    const word = (...words: string[]) => words.map((one) => () => [this.anyCase(one)])
    const expiry = [
      () => ['EX', seconds()],
      () => ['PX', milliseconds()],
      () => ['EXAT', unixSeconds()],
      () => ['pxat', unixMilliseconds()],
    ]
    const conditions = word('NX', 'XX', 'GT', 'LT', 'junk')
    this.#shapes = [
      ['GET', key],
      ['SET', key, value],
      ['SET', key, value, [...expiry, ...word('NX', 'XX', 'GET', 'KEEPTTL', 'junk')]],
      ['SETNX', key, value],
      ['SETEX', key, seconds, value],
      ['PSETEX', key, milliseconds, value],
      ['GETSET', key, value],
      ['GETDEL', key],
      ['GETEX', key, [...expiry, ...word('PERSIST', 'junk')]],
      ['MGET', key, key, key],
      ['MSET', key, value, key, value],
      ['MSETNX', key, value, key, value],
      ['DEL', key],
      ['UNLINK', key, key],
      ['EXISTS', key, key, key],
      ['TOUCH', key, key],
      ['TYPE', key],
      ['STRLEN', key],
      ['APPEND', key, value],
      ['GETRANGE', key, integer, integer],
      ['SUBSTR', key, integer, integer],
      [
        'SETRANGE',
        key,
        () => this.pick(['0', '3', '10', '-1', '8388600', '8388609', 'x', '9223372036854775807']),
        () => this.pick(['', 'ab', 'replacement']),
      ],
      ['INCR', key],
      ['DECR', key],
      ['INCRBY', key, integer],
      ['DECRBY', key, integer],
      ['INCRBYFLOAT', key, float],
      ['LCS', key, key, [...word('IDX', 'LEN', 'WITHMATCHLEN', 'junk'), () => ['MINMATCHLEN', integer()]]],
      ['GETBIT', key, integer],
      [
        'SETBIT',
        key,
        () => this.pick(['0', '1', '7', '8', '63', '100', '-1', 'x', '67108864']),
        () => this.pick(['0', '1', '1', '2', 'x']),
      ],
      ['BITCOUNT', key],
      ['BITCOUNT', key, integer, integer, word('BYTE', 'BIT', 'junk')],
      ['BITPOS', key, () => this.pick(['0', '1', '2', 'x'])],
      ['BITPOS', key, () => this.pick(['0', '1']), integer],
      ['BITPOS', key, () => this.pick(['0', '1']), integer, integer, word('BYTE', 'BIT', 'junk')],
      ['EXPIRE', key, seconds, conditions],
      ['PEXPIRE', key, milliseconds, conditions],
      ['EXPIREAT', key, unixSeconds, conditions],
      ['PEXPIREAT', key, unixMilliseconds, conditions],
      ['TTL', key],
      ['PTTL', key],
      ['EXPIRETIME', key],
      ['PEXPIRETIME', key],
      ['PERSIST', key],
      ['RENAME', key, key],
      ['RENAMENX', key, key],
      ['COPY', key, key, [...word('REPLACE', 'junk'), () => ['DB', this.pick(['0', '1', 'x', '9999999999'])]]],
      ['OBJECT', () => this.pick(['FREQ', 'junk', 'HELP', 'refcount']), () => 'missing-key'],
      ['KEYS', glob],
      [
        'SCAN',
        () => '0',
        () => 'COUNT',
        () => '1000',
        [() => ['MATCH', glob()], () => ['TYPE', this.pick(['string', 'STRING', 'list', 'junk'])], ...word('junk')],
      ],
      ['SCAN', () => this.pick(['x', '-', '99999999999999999999'])],
      ['SCAN', () => '0', () => 'COUNT', () => this.pick(['0', '-1', 'x'])],
      ['DBSIZE'],
      ['RANDOMKEY'],
      ['PING'],
      ['PING', value],
      ['ECHO', value],
      ['SELECT', () => this.pick(['0', '1', '-1', 'x', '99999999999'])],
      ['CLIENT', () => this.pick(['GETNAME', 'junk'])],
      ['CLIENT', () => 'SETNAME', () => this.pick(['', 'me', 'a b', 'new\nline'])],
      ['CLIENT', () => this.pick(['NO-EVICT', 'REPLY']), () => this.pick(['ON', 'junk'])],
      ['CLIENT', () => 'KILL', () => this.pick(['1.2.3.4:5', 'ID', 'junk']), () => this.pick(['0', 'x', '99999999'])],
      ['CLIENT', () => 'KILL', () => this.pick(['1.2.3.4:5', 'junk'])],
      ['CLIENT', () => 'LIST', () => this.pick(['TYPE', 'junk', 'ID']), () => this.pick(['junk', 'pubsub', 'x'])],
      ['AUTH', () => 'secret'],
      ['AUTH', () => this.pick(['nobody', 'default']), () => 'secret'],
      ['HELLO', () => this.pick(['1', '4', 'x'])],
      ['HELLO', () => this.pick(['2', '3']), () => this.pick(['junk', 'SETNAME']), () => 'a b'],
      ['CONFIG', () => this.pick(['GET', 'junk', 'SET']), () => this.pick(['appendonlyx', 'maxmemory-policy'])],
      [
        'CONFIG',
        () => 'SET',
        () => this.pick(['junk', 'slowlog-log-slower-than', 'databases']),
        () => this.pick(['x', '-2']),
      ],
      ['CONFIG', () => 'RESETSTAT'],
      ['SLOWLOG', () => this.pick(['LEN', 'RESET', 'GET', 'HELP', 'junk'])],
      ['SLOWLOG', () => 'GET', () => this.pick(['-2', 'x'])],
      ['LATENCY', () => this.pick(['RESET', 'LATEST', 'junk'])],
      ['LATENCY', () => 'HISTORY', () => 'command'],
      ['MEMORY', () => 'USAGE', () => 'missing-key', [() => ['SAMPLES', this.pick(['0', '-1', 'x'])], ...word('junk')]],
      ['FUNCTION', () => 'FLUSH', word('SYNC', 'ASYNC', 'junk')],
      ['WAIT', () => this.pick(['0', 'x']), () => this.pick(['0', '-1', 'x'])],
      ['FLUSHDB', word('junk')],
      ['COMMAND', () => 'GETKEYS', () => this.pick(['GET', 'MSET', 'PING', 'COPY', 'nothing', 'OBJECT']), value, value],
      ['COMMAND', () => this.pick(['INFO', 'DOCS']), () => 'nothing'],
      ['COMMAND', () => 'LIST', () => this.pick(['junk', 'FILTERBY'])],
      ['UNWATCH'],
      ['DISCARD'],
      ['EXEC'],
      ['NOTHING', value, value],
      ['no\r\nthing', key],
    ]
  }

  pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.random() * from.length)]!
  }

  anyCase(word: string): string {
    return this.random() < 0.5 ? word.toLowerCase() : word
  }

  /** One command: mostly well formed. */
  next(): Words {
    const [name, ...makes] = this.pick(this.#shapes)
    let words: Words = [this.anyCase(name)]
    for (const make of makes) {
      if (typeof make === 'function') words.push(make())
      else for (let count = Math.floor(this.random() * 3); count > 0; count--) words.push(...this.pick(make)())
    }
    const twist = this.random()
    if (twist < 0.04) words = words.slice(0, 1 + Math.floor(this.random() * words.length))
    // Not the empty value: it may be a key there, and an empty key is a documented difference.
    else if (twist < 0.08) words.push(this.pick(values.slice(1)))
    return words
  }

  /** A transaction whose replies do not depend on chance. */
  transaction(): Words[] {
    const commands: Words[] = [['MULTI']]
    for (let count = Math.floor(this.random() * 6); count > 0; count--) {
      const words = this.next()
      if (
        !/^(keys|scan|randomkey|watch|unwatch|discard|exec|hello|client|multi|function|flush|slowlog|command|config)/i.test(
          String(words[0]),
        )
      )
        commands.push(words)
    }
    commands.push([this.random() < 0.9 ? 'EXEC' : 'DISCARD'])
    return commands
  }

  key(): string | Buffer {
    return this.pick(keys)
  }
}
