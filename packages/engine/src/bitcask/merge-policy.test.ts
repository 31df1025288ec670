import { describe, expect, test } from 'vitest'
import { chooseMerge, defaultMergePolicy, type MergeCandidate, upTo } from './merge-policy.js'

const options = { ...defaultMergePolicy, smallBytes: 100, copyBytesMax: 4000 }
let number = 0
const file = (bytes: number, deadBytes: number, largestSequence = 100): MergeCandidate => ({
  number: ++number,
  bytes,
  deadBytes,
  largestSequence,
})
const numbers = (files: MergeCandidate[]) => files.map((each) => each.number)

describe('chooseMerge', () => {
  test('has nothing to do without files, or while little is dead', () => {
    expect(chooseMerge([], options)).toEqual([])
    expect(chooseMerge([file(1000, 0), file(1000, 340), file(1000, 590)], options)).toEqual([])
  })

  test('takes a file that is mostly dead, whatever the others look like', () => {
    const dead = file(1000, 600)
    expect(chooseMerge([file(1000, 0), dead, file(1000, 100)], options)).toEqual([dead.number])
  })

  test('when too much is dead in all, takes what gives back most, and leaves what gives back little', () => {
    const files = [file(1000, 140), file(1000, 590), file(1000, 400)]
    expect(chooseMerge(files, options)).toEqual([files[1]!.number, files[2]!.number])
  })

  test('takes the older of two that are as dead: the newer one dies further by itself', () => {
    const newer = file(1000, 500, 100)
    const older = file(1000, 500, 10)
    expect(chooseMerge([newer, older], { ...options, copyBytesMax: 500 })).toEqual([older.number])
  })

  test('puts small files together once there are enough, if at least two can be', () => {
    const small = Array.from({ length: 8 }, () => file(90, 0))
    expect(chooseMerge(small.slice(1), options)).toEqual([])
    expect(chooseMerge(small, options)).toEqual(numbers(small))
    expect(chooseMerge(small, { ...options, copyBytesMax: 200 })).toEqual(numbers(small.slice(0, 2)))
    expect(chooseMerge(small, { ...options, copyBytesMax: 1 })).toEqual([])
  })

  test('never takes a file that gives nothing back', () => {
    const all = { ...options, deadRatioMax: 0, totalDeadRatioMax: 0, deadRatioMin: 0 }
    expect(chooseMerge([file(1000, 0)], all)).toEqual([])
    const partly = file(1000, 1)
    expect(chooseMerge([file(1000, 0), partly], all)).toEqual([partly.number])
  })
})

test('upTo takes at least one file, and no more live bytes than the bound', () => {
  const files = [file(1000, 0), file(1000, 900), file(1000, 0)]
  expect(upTo(files, 1)).toEqual(numbers(files.slice(0, 1)))
  expect(upTo(files, 1100)).toEqual(numbers(files.slice(0, 2)))
  expect(upTo(files, 1e9)).toEqual(numbers(files))
})
