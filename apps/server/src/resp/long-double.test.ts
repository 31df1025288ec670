import { describe, expect, test } from 'vitest'
import { addLongDouble, readLongDouble, writeLongDouble } from './long-double.js'

function sum(a: string, b: string): string | undefined {
  const left = readLongDouble(a)
  const right = readLongDouble(b)
  const total = left && right && addLongDouble(left, right)
  return total && writeLongDouble(total)
}

describe('long double', () => {
  test.each([
    ['0.1', '0.2', '0.3'],
    ['10.5', '0.1', '10.6'],
    ['5.0e3', '200', '5200'],
    ['3', '-3', '0'],
    ['-0.1', '0.05', '-0.05'],
    ['1e-20', '0', '0'],
    ['9007199254740993', '1', '9007199254740994'],
    ['18446744073709551615', '1', '18446744073709551616'],
    ['.5', '5.', '5.5'],
  ])('%s + %s = %s', (a, b, expected) => {
    expect(sum(a, b)).toBe(expected)
  })

  test.each(['', '.', 'abc', '1 ', ' 1', 'nan', 'inf', '1e', '1e5000', '1e-5000', '1'.repeat(6000)])(
    '%j is no number',
    (text) => {
      expect(readLongDouble(text)).toBeUndefined()
    },
  )

  test('a sum beyond the range is none', () => {
    const most = readLongDouble('1.1e4932')!
    expect(addLongDouble(most, most)).toBeUndefined()
  })
})
