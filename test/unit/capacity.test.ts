import { expect, test } from 'vitest'
import { createCapacity } from '../../src/listener/capacity.ts'

const taken = (leave: (() => void) | null): (() => void) => {
  if (leave === null) throw new Error('full')
  return leave
}

test('what is full takes nothing, until somebody leaves', () => {
  const capacity = createCapacity(2)
  const [one] = [taken(capacity.take()), taken(capacity.take())]
  expect(capacity.take()).toBeNull()
  one?.()
  taken(capacity.take())
  expect(capacity.take()).toBeNull()
})

test('a part is full when the whole is, and what it could not take takes no place', () => {
  const whole = createCapacity(2)
  const [left, right] = [createCapacity(2, whole), createCapacity(2, whole)]
  const one = taken(left.take())
  taken(right.take())
  expect(left.take()).toBeNull()
  expect(right.take()).toBeNull()
  one()
  taken(right.take())
  expect(right.take()).toBeNull()
  expect(left.take()).toBeNull()
})
