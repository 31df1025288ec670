import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { receiveBytes, receiveInto } from './socket-receive.js'
import { sendNow } from './socket-send.js'

async function connected(): Promise<{ accepted: Socket; client: Socket; close: () => Promise<void> }> {
  const server = createServer({ allowHalfOpen: false })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [accepted] = (await once(server, 'connection')) as [Socket]
  const close = async () => {
    client.destroy()
    accepted.destroy()
    server.close()
    await once(server, 'close')
  }
  return { accepted, client, close }
}

async function received(accepted: Socket, client: Socket, shared: Buffer): Promise<{ bytes: Buffer; own: number }> {
  const chunks: Buffer[] = []
  let own = 0
  receiveInto(accepted, shared, (bytes, length) => {
    if (bytes === shared) own++
    chunks.push(Buffer.from(bytes.subarray(0, length)))
  })
  client.end(Buffer.alloc(3 * receiveBytes + 7, 'abcdefghij'))
  await once(accepted, 'close')
  return { bytes: Buffer.concat(chunks), own }
}

test('everything arrives in the shared buffer, then the end', async () => {
  const { accepted, client, close } = await connected()
  const { bytes, own } = await received(accepted, client, Buffer.alloc(receiveBytes))
  expect(bytes.equals(Buffer.alloc(3 * receiveBytes + 7, 'abcdefghij'))).toBe(true)
  expect(own).toBeGreaterThan(0)
  await close()
})

test('where the switch is missing, data events serve', async () => {
  const { accepted, client, close } = await connected()
  Object.assign((accepted as unknown as { _handle: object })._handle, { useUserBuffer: undefined })
  const { bytes, own } = await received(accepted, client, Buffer.alloc(receiveBytes))
  expect(bytes.equals(Buffer.alloc(3 * receiveBytes + 7, 'abcdefghij'))).toBe(true)
  expect(own).toBe(0)
  await close()
})

test('a paused socket receives nothing until it is resumed', async () => {
  const { accepted, client, close } = await connected()
  let count = 0
  receiveInto(accepted, Buffer.alloc(receiveBytes), (_, length) => {
    count += length
    accepted.pause()
  })
  client.write(Buffer.alloc(4 * receiveBytes))
  for (let want = 1; want <= 4 * receiveBytes; want = count + 1) {
    accepted.resume()
    while (count < want) await new Promise(setImmediate)
    const before = count
    await new Promise(setImmediate)
    expect(count).toBe(before)
  }
  expect(count).toBe(4 * receiveBytes)
  await close()
})

test('what the kernel does not take is counted, and a closed socket takes nothing', async () => {
  const { accepted, client, close } = await connected()
  client.pause()
  const bytes = Buffer.alloc(64 * 1024 * 1024)
  const sent = sendNow(accepted, bytes, 0, bytes.length)
  expect(sent).toBeGreaterThan(0)
  expect(sent).toBeLessThan(bytes.length)
  while (sendNow(accepted, bytes, 0, 65536) > 0);
  accepted.destroy()
  await once(accepted, 'close')
  expect(sendNow(accepted, bytes, 0, 1)).toBe(0)
  await close()
})
