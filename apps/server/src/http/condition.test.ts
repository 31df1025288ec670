import { describe, expect, test } from 'vitest'
import { checkConditions, headerConditions, ifNotExists } from './condition.js'

const passes = (headers: { 'if-match'?: string; 'if-none-match'?: string }, version: number) => {
  try {
    checkConditions(headerConditions(headers), version)
    return true
  } catch (error) {
    expect(error).toMatchObject({ code: 'CASKADE_CONDITION_FAILED', version })
    return false
  }
}

describe('conditions', () => {
  test.each([
    [{ 'if-match': '*' }, [1, 17], [0]],
    [{ 'if-match': '"17"' }, [17], [0, 1, 170]],
    [{ 'if-match': '"3", "17"' }, [3, 17], [0, 4]],
    [{ 'if-match': 'W/"17"' }, [], [0, 17]],
    [{ 'if-match': '"abc"' }, [], [0, 17]],
    [{ 'if-match': '"0"' }, [], [0, 17]],
    [{ 'if-none-match': '*' }, [0], [1, 17]],
    [{ 'if-none-match': '"17"' }, [0, 16], [17]],
    [{ 'if-match': '*', 'if-none-match': '"17"' }, [16], [0, 17]],
    [{}, [0, 1], []],
  ])('%j holds for %j and not for %j', (headers, holding, failing) => {
    for (const version of holding) expect(passes(headers, version), `version ${version}`).toBe(true)
    for (const version of failing) expect(passes(headers, version), `version ${version}`).toBe(false)
  })

  test.each(['17', '"17', '"1", 2', ''])('refuses the header %j', (header) => {
    expect(() => headerConditions({ 'if-match': header })).toThrow('entity tags in double quotes')
  })

  test('the sentence says what was asked and what is', () => {
    expect(() => checkConditions([ifNotExists], 9)).toThrow(
      'the condition wants that the key does not exist, but the key is at version 9',
    )
    expect(() => checkConditions([{ kind: 'equals', versions: [3] }], 0, 'the key of operation 2')).toThrow(
      'the condition wants version 3, but the key of operation 2 does not exist',
    )
  })
})
