import { Agent, request } from 'node:http'

/**
 * Keeps N streams open for some seconds and counts the events that arrive. Arguments: URL, streams, seconds. Prints
 * `{ events, streams, seconds, failed }`. It counts and does not time: the figure of interest is the proxy's CPU per event.
 */
const [url = '', streams = '32', seconds = '4'] = process.argv.slice(2)
const agent = new Agent({ keepAlive: true, maxSockets: Infinity })
const body = JSON.stringify({ model: 'stub', stream: true, max_tokens: 64, messages: [{ role: 'user', content: 'hello there' }] })
const until = performance.now() + Number(seconds) * 1000
let events = 0
let ended = 0
let failed = 0

function one (): Promise<void> {
  return new Promise(resolve => {
    const fail = (): void => { failed++; resolve() }
    const req = request(url, { method: 'POST', agent, headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) } }, res => {
      if (res.statusCode !== 200) fail()
      res.on('data', (data: Buffer) => {
        for (let at = data.indexOf('data: '); at >= 0; at = data.indexOf('data: ', at + 6)) events++
      })
      res.on('end', () => { ended++; resolve() })
      res.on('error', fail)
    })
    req.on('error', fail)
    req.end(body)
  })
}

async function client (): Promise<void> {
  while (performance.now() < until && failed < 100) await one()
}

const started = performance.now()
await Promise.all(Array.from({ length: Number(streams) }, client))
agent.destroy()
console.log(JSON.stringify({ events, streams: ended, seconds: (performance.now() - started) / 1000, failed }))
