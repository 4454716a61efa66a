import t from 'tap'
import { pacedRun } from '../analyse/testing-machine.js'
import { runSparePairs } from './spare-pairs.js'

/** Runs the spare pairs of eight planned ones; the machine has this pace in these blocks, 20 ms a token in all others. */
async function spared (msPerToken: Readonly<Record<number, number>>, aborted: readonly number[] = []) {
  const { plan, blocks } = pacedRun({ planned: 8, spare: 2, msPerToken })
  const ran: number[] = []
  const notes: string[] = []
  await runSparePairs(plan, {
    measured: async () => blocks.filter(({ evidence: { plan: { index } } }) => index <= 16 || ran.includes(index)),
    run: async ({ index }) => {
      ran.push(index)
      return !aborted.includes(index)
    },
    note: text => { notes.push(text) }
  })
  return { ran, notes }
}

t.test('as many spare pairs as pairs are lacking, and no more than there are', async t => {
  t.same(await spared({}), { ran: [], notes: [] })
  t.same((await spared({ 3: 26, 4: 26 })).ran, [], 'both blocks of a pair on the slower machine')
  t.same(await spared({ 5: 26 }), { ran: [17, 18], notes: ['1 of 8 pairs still lacking, since their two blocks met unlike machines: a spare pair is run'] })
  t.same((await spared({ 5: 26, 17: 26 })).ran, [17, 18, 19, 20], 'a spare pair may meet unlike machines, too')
  t.same((await spared({ 1: 26, 5: 26, 9: 26 })).ran, [17, 18, 19, 20])
})

t.test('after an abort nothing more is run', async t => {
  t.same((await spared({ 1: 26, 5: 26 }, [17])).ran, [17])
})
