import t from 'tap'
import { statusPage } from './status-page.js'

const status = {
  upSeconds: 5,
  ready: 'ok',
  draining: false,
  upstream: { url: 'http://127.0.0.1:1', state: 'ready', modelPath: '/m/<script>alert("x")</script>.gguf', totalSlots: 4, load: { processing: 3, deferred: 0, atMs: 1 } },
  inFlight: 2,
  zombiePlaces: 1,
  slotSecondsWasted: 1.25,
  policies: [{ name: 'prompt-cap', mode: 'shadow', gauges: {} }, { name: 'admission', mode: 'on', gauges: { queued: 7 } }],
  latency: { queueWaitMs: { n: 3, p50: 1, p95: 2, p99: 2.5, max: 3 } }
}

t.test('everything is on it, nothing is markup that is not ours, nothing is loaded from elsewhere', async t => {
  const page = statusPage(status)
  for (const shown of ['>ok<', '<td>5</td>', '<td>2</td>', 'http://127.0.0.1:1', 'prompt-cap (shadow)', '<th>queued</th><td>7</td>', '<th>processing</th><td>3</td>', '<td>2.5</td>']) t.ok(page.includes(shown), shown)
  t.notMatch(page, /<script|src=|href=/)
  t.match(page, '/m/&#60;script&#62;alert(&#34;x&#34;)')
  t.match(page, 'class="ok"')
})

t.test('trouble is marked', async t => {
  t.match(statusPage({ ...status, ready: 'saturated' }), '<span class="trouble">saturated</span>')
})
