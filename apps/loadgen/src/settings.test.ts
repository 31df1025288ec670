import { expect, test } from 'vitest'
import { loadgenMain } from './loadgen-cli.js'
import { parseCount, parseDuration, parseTarget } from './quantity.js'

const plain = (text: string) => text

async function usage(...argv: string[]): Promise<{ code: number; notes: string }> {
  const notes: string[] = []
  const output = {
    out: plain,
    note: (text: string) => notes.push(text),
    paint: { bold: plain, dim: plain, red: plain, yellow: plain },
  }
  const code = await loadgenMain(argv, output, new AbortController().signal)
  return { code, notes: notes.join('\n') }
}

test.each([
  [['--workload', 'z'], "--workload takes a, b, c, d, e, f, mix-70-30, not 'z'"],
  [['--workload', 'e'], "RESP's SCAN has no order: use --protocol http"],
  [['--phase', 'walk'], "--phase takes both, load, run, not 'walk'"],
  [['--records', '0'], '--records takes a whole number from 1 to'],
  [['--records', 'many'], "not 'many'"],
  [['--duration', '1', '--operations', '5'], 'give one of them'],
  [['--duration', 'soon'], "--duration takes a time such as 10s, 500ms or 2m, not 'soon'"],
  [['--target', 'localhost'], "--target takes HOST:PORT, not 'localhost'"],
  [['--verify', '--value-bytes', '10'], '--verify needs values of at least 41 bytes'],
  [['--verify-only'], '--verify-only needs --state FILE'],
  [['--phase', 'run', '--verify'], '--phase run --verify needs --state FILE'],
  [['--state', 'x'], 'give --verify too'],
  [['--fail-if', 'p99>10'], 'needs a unit'],
  [['--key-prefix', 'a/b'], '--key-prefix takes'],
  [['--hotspot-records', '2'], 'a fraction from 0 to 1'],
  [['--connections', '10K', '--pipeline', '1000'], 'may be 1000000 at most'],
  [['--nonsense'], "unknown option '--nonsense'"],
  [['extra'], 'too many arguments'],
])('%j is refused with a sentence', async (argv, sentence) => {
  const { code, notes } = await usage(...argv)
  expect(notes).toContain(sentence)
  expect(code).toBe(2)
})

test('quantities as people write them', () => {
  expect([parseCount('n', '100K', 1), parseCount('n', '1.5m', 1), parseCount('n', '7', 1)]).toEqual([
    100_000, 1_500_000, 7,
  ])
  expect(() => parseCount('n', '1.0005K', 1)).toThrow()
  expect([parseDuration('d', '10'), parseDuration('d', '500ms'), parseDuration('d', '2m')]).toEqual([
    10_000, 500, 120_000,
  ])
  expect([parseTarget('[::1]:80'), parseTarget(':81'), parseTarget('db.example:82')]).toEqual([
    { host: '::1', port: 80 },
    { host: '127.0.0.1', port: 81 },
    { host: 'db.example', port: 82 },
  ])
})
