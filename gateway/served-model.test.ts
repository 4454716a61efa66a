import t from 'tap'
import { FakeClock, settle } from '../policies/testing.js'
import { ServedModel } from './served-model.js'
import type { Fetched, UpstreamGet } from './upstream-get.js'

const props = {
  model_path: '/models/a.gguf',
  build_info: 'b1',
  chat_template: '{% set x = 1 %}{{ messages }}',
  is_sleeping: false,
  default_generation_settings: { n_ctx: 1024, params: { samplers: ['temperature'], dynatemp_range: 0 } }
}

function setUp (answers: { props?: object | undefined, adapters?: unknown, status?: number } = { props }) {
  const clock = new FakeClock()
  const asked: string[] = []
  const waiting: Array<() => void> = []
  const now = { date: new Date(2026, 0, 1, 12) }
  const state = { ...answers, held: false }
  const get = {
    get: async (path: string, signal: AbortSignal): Promise<Fetched> => {
      asked.push(path)
      if (state.held) await new Promise<void>((resolve, reject) => { waiting.push(resolve); signal.addEventListener('abort', () => { reject(signal.reason) }) })
      if (state.props === undefined) throw new Error('gone')
      return { status: state.status ?? 200, contentType: 'application/json', body: JSON.stringify(path === '/props' ? state.props : state.adapters ?? []) }
    }
  }
  const model = new ServedModel(get as unknown as UpstreamGet, clock, () => now.date)
  return { model, clock, asked, state, now, waiting, identity: async () => (await model.served(clock.nowMs()))?.identity }
}

t.test('a reading serves all who are content with its age', async t => {
  const { model, clock, asked } = setUp()
  const first = await model.served(clock.nowMs())
  t.match(first, { sampling: { samplers: ['temperature'] }, atMs: 1_000 })
  await clock.advance(100)
  t.equal(await model.served(1_000), first)
  t.same(asked, ['/props', '/lora-adapters'])
  t.match(await model.served(1_001), { identity: first?.identity, atMs: 1_100 })
  t.same(asked, ['/props', '/lora-adapters', '/props'], 'that there are no adapters is known')
})

t.test('who asks at one time asks once', async t => {
  const { model, state, asked, waiting } = setUp()
  state.held = true
  const answers = [model.served(900), model.served(1_000)]
  await settle()
  state.held = false
  for (const go of waiting) go()
  t.equal((await answers[0])?.identity, (await answers[1])?.identity)
  t.equal(asked.filter(path => path === '/props').length, 1)
})

t.test('what makes another identity', async t => {
  const { clock, state, identity, model } = setUp()
  const first = await identity()
  for (const change of [{ model_path: '/models/b.gguf' }, { build_info: 'b2' }, { chat_template: 'other' }, { default_generation_settings: { n_ctx: 512 } }, { media_marker: '<another start>' }, { total_slots: 9 }]) {
    state.props = { ...props, ...change }
    await clock.advance(1)
    t.not(await identity(), first, JSON.stringify(change))
  }
  state.props = { ...props, is_sleeping: true }
  await clock.advance(1)
  t.equal(await identity(), first, 'asleep it is the same')
  model.changed()
  t.not(await identity(), first, 'something was changed through the gateway')
})

t.test('adapters: where there are some, their scales are asked for each time', async t => {
  const { clock, state, identity, asked } = setUp({ props, adapters: [{ id: 0, scale: 1 }] })
  const first = await identity()
  await clock.advance(1)
  t.equal(await identity(), first)
  state.adapters = [{ id: 0, scale: 0.5 }]
  await clock.advance(1)
  t.not(await identity(), first)
  t.equal(asked.filter(path => path === '/lora-adapters').length, 3)
})

t.test('no identity: away, loading, a router without a model, one that does not answer in a second', async t => {
  for (const answers of [{ props: undefined }, { props, status: 503 }, { props: { role: 'router' } }, { props: { ...props, model_path: '' } }]) {
    const { identity } = setUp(answers)
    t.equal(await identity(), undefined, JSON.stringify(answers))
  }
  const { model, clock, state } = setUp()
  state.held = true
  const slow = model.served(clock.nowMs())
  await clock.advance(1_000)
  t.equal(await slow, undefined)
  t.equal(clock.timers, 0)
})

t.test('a change while it is asked: the reading is of neither', async t => {
  const { model, state, waiting, clock, identity } = setUp()
  state.held = true
  const reading = model.served(clock.nowMs())
  await settle()
  model.changed()
  state.held = false
  for (const go of waiting) go()
  t.equal(await reading, undefined)
  t.ok(await identity())
})

t.test('templates that write the date are another model each day, those that write the time never the same', async t => {
  for (const [template, daily] of [["{{ strftime_now('%d %b %Y') }}", true], ['{{ date_string }}', true], ['{{ messages }}', false]] as const) {
    const { identity, now, clock } = setUp({ props: { ...props, chat_template: template } })
    const first = await identity()
    now.date = new Date(2026, 0, 2, 12)
    await clock.advance(1)
    t.equal(await identity() !== first, daily, template)
    t.ok(first)
  }
  for (const template of ["{{ strftime_now('%H:%M') }}", '{{ strftime_now("%c") }}', '{{ strftime_now(format) }}']) {
    const { identity } = setUp({ props: { ...props, chat_template_tool_use: template } })
    t.equal(await identity(), undefined, template)
  }
})
