import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import t, { type Test } from 'tap'
import { download, type Download } from './download.js'

const CONTENT = randomBytes(300_000)
const SHA256 = createHash('sha256').update(CONTENT).digest('hex')
const HALF = 150_000

type Handler = (request: http.IncomingMessage, response: http.ServerResponse, requestNumber: number) => void

t.test('a cut connection is resumed where it stopped', async t => {
  const { what, part, ranges } = await serve(t, (request, response, n) => {
    if (n === 1) cutAfter(response, HALF, part)
    else sendRange(request, response)
  })
  const seen: number[] = []
  await download({ ...what, onProgress: ({ step, doneBytes }) => { if (step === 'download') seen.push(doneBytes) } })
  t.same(readFileSync(what.target), CONTENT)
  t.same(ranges, [undefined, `bytes=${HALF}-`])
  t.equal(seen.at(-1), CONTENT.length)
  t.notOk(existsSync(part))
})

t.test('the part of an earlier process is used', async t => {
  const { what, part, ranges } = await serve(t, sendRange)
  writeFileSync(part, CONTENT.subarray(0, 1000))
  await download(what)
  t.same(readFileSync(what.target), CONTENT)
  t.same(ranges, ['bytes=1000-'])
})

t.test('a whole part is only checked', async t => {
  const { what, part, ranges } = await serve(t, sendRange)
  writeFileSync(part, CONTENT)
  await download(what)
  t.ok(existsSync(what.target))
  t.same(ranges, [])
})

t.test('a server without ranges sends all again', async t => {
  const { what, part, ranges } = await serve(t, (_request, response, n) => {
    if (n === 1) cutAfter(response, HALF, part)
    else response.writeHead(200, { 'content-length': CONTENT.length }).end(CONTENT)
  })
  await download(what)
  t.same(readFileSync(what.target), CONTENT)
  t.equal(ranges.length, 2)
})

t.test('a server that cannot go on from here gets asked for all', async t => {
  for (const [status, headers] of [[416, {}], [206, { 'content-range': `bytes 5-${CONTENT.length - 1}/${CONTENT.length}` }]] as const) {
    const { what, part, ranges } = await serve(t, (request, response) => {
      if (request.headers.range !== undefined) response.writeHead(status, headers).end()
      else sendRange(request, response)
    })
    writeFileSync(part, 'something else')
    await download(what)
    t.same(readFileSync(what.target), CONTENT)
    t.same(ranges, ['bytes=14-', undefined])
  }
})

t.test('a wrong checksum deletes the part and is an error', async t => {
  const { what, part } = await serve(t, sendRange)
  await t.rejects(download({ ...what, sha256: '0'.repeat(64) }), /the sha256 is [0-9a-f]{64}, expected 0{64}; the file was deleted/)
  t.notOk(existsSync(part))
  t.notOk(existsSync(what.target))
})

t.test('a refusal is final', async t => {
  for (const [status, says] of [[404, /HTTP 404: the hub has no such file/], [401, /HTTP 401: the hub wants a login/]] as const) {
    const { what, ranges } = await serve(t, (_request, response) => { response.writeHead(status).end('no') })
    await t.rejects(download(what), says)
    t.equal(ranges.length, 1)
  }
})

t.test('more bytes than the catalogue names are refused', async t => {
  const { what } = await serve(t, sendRange)
  await t.rejects(download({ ...what, bytes: 1000 }), /sends more than the 1000 bytes/)
})

t.test('it is given up after five attempts that came no further, and the part is kept', async t => {
  const { what, part, ranges } = await serve(t, (request, response, n) => {
    if (n === 1) cutAfter(response, HALF, part)
    else if (n === 2) response.writeHead(503).end()
    else request.socket.destroy()
  })
  await t.rejects(download(what), /5 attempts in a row came no further, the last: .*150000 of 300000 bytes are kept in .*run the command again/)
  t.equal(ranges.length, 6)
  t.equal(statSync(part).size, HALF)
})

async function serve (t: Test, handler: Handler): Promise<{ what: Download, part: string, ranges: (string | undefined)[] }> {
  const ranges: (string | undefined)[] = []
  const server = http.createServer((request, response) => {
    ranges.push(request.headers.range)
    handler(request, response, ranges.length)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => { server.closeAllConnections(); server.close() })
  const { port } = server.address() as AddressInfo
  const target = path.join(t.testdir(), 'model.gguf')
  const what = { url: `http://127.0.0.1:${port}/model.gguf`, target, bytes: CONTENT.length, sha256: SHA256, retryWaitMs: 0 }
  return { what, part: `${target}.part`, ranges }
}

function sendRange (request: http.IncomingMessage, response: http.ServerResponse): void {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
  const body = CONTENT.subarray(from)
  response.writeHead(from > 0 ? 206 : 200, {
    'content-length': body.length,
    ...(from > 0 ? { 'content-range': `bytes ${from}-${CONTENT.length - 1}/${CONTENT.length}` } : {})
  }).end(body)
}

/** Cuts when the client has written down all that was sent, so that where it goes on is certain. */
function cutAfter (response: http.ServerResponse, bytes: number, part: string): void {
  response.writeHead(200, { 'content-length': CONTENT.length })
  response.write(CONTENT.subarray(0, bytes))
  const look = (): void => {
    if (existsSync(part) && statSync(part).size >= bytes) response.socket?.destroy()
    else setImmediate(look)
  }
  look()
}
