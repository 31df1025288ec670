import { test } from 'vitest'

test.todo('module boundaries')
