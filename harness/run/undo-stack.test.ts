import t from 'tap'
import { createUndoStack, withUndo } from './undo-stack.js'

t.test('latest first, each once, whatever became of the others', async t => {
  const undone: string[] = []
  const undo = createUndoStack()
  undo.push('group', async () => { undone.push('group') })
  undo.push('affinity', async () => { throw new Error('no such process') })
  undo.push('server', async () => { undone.push('server') })
  await t.rejects(undo.unwind(), /not everything could be put back; affinity: no such process/)
  t.same(undone, ['server', 'group'])
  await undo.unwind()
  t.same(undone, ['server', 'group'])
})

t.test('work that throws is undone; the first cause is told first, a failed undo with it', async t => {
  const undone: string[] = []
  const failing = withUndo(async undo => {
    undo.push('hog', async () => { undone.push('hog') })
    throw new Error('the knob did not take')
  })
  await t.rejects(failing, { message: 'the knob did not take' })
  t.same(undone, ['hog'])
  await t.rejects(withUndo(async undo => {
    undo.push('mount', async () => { throw new Error('busy') })
    throw new Error('first')
  }), /^first; and not everything could be put back; mount: busy$/)
})

t.test('what cannot be put back fails the work, also when it went well', async t => {
  t.equal(await withUndo(async () => 7), 7)
  await t.rejects(withUndo(async undo => { undo.push('limit', async () => { throw new Error('EBUSY') }) }), /limit: EBUSY/)
})
