import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { isGood } from '../analyse/window.js'
import type { BlockEvidence, CallSample, OpenLoopPlan, OpenLoopResult, Plan, Result } from '../types.js'
import { harness } from './testing.js'

const readJson = <T>(path: string): T => JSON.parse(readFileSync(path, 'utf8')) as T

/** Processes whose command line names this folder. */
function processesOf (folder: string): string[] {
  return readdirSync('/proc').filter(name => /^\d+$/.test(name) && Number(name) !== process.pid).flatMap(pid => {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      return line.includes(folder) ? line : []
    } catch { return [] }
  })
}

t.test('a whole comparison on the real llama-server', async t => {
  const folder = `${t.testdir()}/run`
  const { code, out, err } = await harness(['compare', '--policy', 'admission', '--preset', 'smoke', '--seed', '3', '--out', folder])
  t.equal(code, 0, err)
  t.ok(out.split('\n').every(line => line.length <= 80 || line.startsWith('Report: ')), 'nothing wider than 80 columns')
  t.match(err, /they carry no verdict/, 'what the preset cannot support is said beforehand')
  const result = readJson<Result>(`${folder}/result.json`)
  t.equal(result.complete, true)
  t.equal(result.planSha256, createHash('sha256').update(readFileSync(`${folder}/plan.json`)).digest('hex'))
  t.strictSame(result.blocks.map(block => block.condition), ['before', 'after', 'after', 'before'])
  t.equal(result.manifest.model.synthetic, true)
  t.match(readFileSync(`${folder}/report.html`, 'utf8'), /synthetic weights/)

  await t.test('both blocks of a pair offer the same calls at the same times', async t => {
    const offered = (name: string): Array<[number, number, string]> => {
      const { loadFromMs } = readJson<BlockEvidence>(`${folder}/blocks/${name}/block.json`)
      return readFileSync(`${folder}/blocks/${name}/calls.ndjson`, 'utf8').trim().split('\n').map(line => JSON.parse(line) as CallSample)
        .filter(call => call.phase === 'load').sort((a, b) => a.seq - b.seq).map(call => [call.seq, Math.round(call.intendedMs - loadFromMs), call.cls])
    }
    t.ok(offered('01-before').length > 10)
    t.strictSame(offered('02-after'), offered('01-before'))
  })

  await t.test('report gives the same result again; an altered raw line gives another', async t => {
    const before = readFileSync(`${folder}/result.json`, 'utf8')
    t.equal((await harness(['report', folder])).code, 0)
    t.equal(readFileSync(`${folder}/result.json`, 'utf8'), before)
    const { workload } = readJson<OpenLoopPlan>(`${folder}/plan.json`)
    const judged = readdirSync(`${folder}/blocks`).sort().flatMap((name, index) => {
      const file = `${folder}/blocks/${name}/calls.ndjson`
      const { judgedFromMs, judgedToMs } = readJson<BlockEvidence>(`${folder}/blocks/${name}/block.json`)
      return readFileSync(file, 'utf8').trim().split('\n').map((line, at) => ({ file, index, at, seconds: (judgedToMs - judgedFromMs) / 1000, call: JSON.parse(line) as CallSample }))
        .filter(({ call }) => call.phase === 'load' && call.outcome === 'answered' && call.intendedMs >= judgedFromMs && call.intendedMs < judgedToMs)
    })
    // An answer that came too late for its limit counts as answered, not as good: on a busy machine these may be all.
    const chosen = judged.find(({ call }) => isGood(call, workload)) ?? judged[0]
    if (chosen === undefined) return t.fail('llama-server answered no call of four blocks')
    const { file, index, at, seconds, call } = chosen
    const lines = readFileSync(file, 'utf8').trim().split('\n')
    lines[at] = JSON.stringify({ ...call, outcome: 'failed', reason: 'altered' })
    writeFileSync(file, lines.join('\n') + '\n')
    await harness(['report', folder])
    const figures = (text: string) => {
      const { blocks, counts } = JSON.parse(text) as OpenLoopResult
      const answered = counts.filter(({ outcome }) => outcome === 'answered').reduce((sum, { n }) => sum + n, 0)
      return { good: Math.round((blocks[index]?.goodPerSecond ?? NaN) * seconds), answered, altered: counts.find(({ reason }) => reason === 'altered')?.n ?? 0 }
    }
    const was = figures(before)
    t.same(figures(readFileSync(`${folder}/result.json`, 'utf8')), { good: was.good - (isGood(call, workload) ? 1 : 0), answered: was.answered - 1, altered: 1 })
  })
})

t.test('Ctrl-C keeps what is finished and stops what was started', async t => {
  const folder = `${t.testdir()}/run`
  const { code, out } = await harness(['compare', '--policy', 'admission', '--preset', 'smoke', '--out', folder], { at: /block 2 of 4.*load/, then: kill => kill('SIGINT') })
  t.equal(code, 130)
  const result = readJson<Result>(`${folder}/result.json`)
  t.equal(result.complete, false)
  t.equal(result.blocks.length, 1)
  t.match(out, /Report: .*report\.html/)
  t.notOk(existsSync(`${folder}/blocks/02-after`), 'the block under way is gone')
  t.equal(readJson<Plan>(`${folder}/plan.json`).blocks.length, 4)
  t.strictSame(processesOf(folder), [])
})
