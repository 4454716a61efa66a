import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import t from 'tap'
import { studySchema } from '../study/schema.js'
import type { StudyResult } from '../study/findings.js'
import { harness } from './testing.js'
import { commandLine, descendants, machine } from './testing-machine.js'

const readJson = <T>(path: string): T => JSON.parse(readFileSync(path, 'utf8')) as T

/** A block at its load. */
const atLoad = /^block \d+ of \d+, .*: \d+ streams of/

t.test('two experiments on the real llama-server: stopped in a block of the second, gone on with, one report', async t => {
  const folder = `${t.testdir()}/study`
  const putBack = machine(t)
  let children: number[] = []
  const first = await harness(['study', '--preset', 'smoke', '--only', 'pinning,warmup', '--seed', '3', '--out', folder], {
    after: /^2 of 3: /,
    at: atLoad,
    then: (kill, pid) => {
      children = descendants(pid)
      kill('SIGINT')
    }
  })
  t.ok(children.length > 0)
  await putBack(children)
  t.equal(first.code, 130, first.err)
  t.match(first.err, /no verdict on single ratios[\s\S]*1 of 3: /, 'what it cannot show is said before it starts')
  t.match(first.err, /to go on: npx harness study --resume/)
  const stopped = readJson<StudyResult>(`${folder}/study.json`)
  t.match(stopped, { complete: false, ended: 'stopped by the user' })
  t.equal(stopped.experiments.filter(({ complete }) => complete).length, 1)

  const second = await harness(['study', '--resume', folder])
  t.equal(second.code, 0, second.err)
  t.match(second.err, /complete already, kept/)
  const study = readJson<StudyResult>(`${folder}/study.json`)
  const validate = new Ajv({ strict: true }).compile(studySchema)
  t.ok(validate(study), JSON.stringify(validate.errors))
  t.equal(study.complete, true)
  t.equal(study.machines.length, 1)
  t.ok(study.experiments.every(({ headline }) => headline !== undefined))
  t.ok(second.out.split('\n').every(line => line.length <= 80 || line.startsWith('Report: ')), 'nothing wider than 80 columns')
  for (const { id } of study.experiments) t.ok(existsSync(`${folder}/runs/${id}/report.html`), id)

  const before = readFileSync(`${folder}/study.json`, 'utf8')
  t.equal((await harness(['report', folder])).code, 0)
  t.equal(readFileSync(`${folder}/study.json`, 'utf8'), before, 'every number again from the raw files')
})

t.test('SIGKILL of llama-server in a run: the study goes on, and says what became of it', async t => {
  const folder = `${t.testdir()}/study`
  const putBack = machine(t)
  let children: number[] = []
  const { code, err } = await harness(['study', '--preset', 'smoke', '--only', 'warmup,pinning-quiet', '--out', folder], {
    at: atLoad,
    then: (_, pid) => {
      children = descendants(pid)
      for (const child of children) if (/\/llama-server( |$)/.test(commandLine(child))) process.kill(child, 'SIGKILL')
    }
  })
  t.ok(children.length > 0)
  const [killed, other] = readJson<StudyResult>(`${folder}/study.json`).experiments
  t.match(other, { complete: true })
  t.match(`${err} ${killed?.warnings.join(' ')}`, /llama-server .*(SIGKILL|ended|killed)/)
  t.ok(killed?.results.every(({ status }) => status === 'UNSUPPORTED'), 'what was killed supports nothing')
  t.equal(code, killed?.outcome === 'failed' ? 1 : 0, err)
  await putBack(children)
})

const mayMount = process.getuid?.() === 0

t.test('a disk that gets full in a run ends the study, says what is usable, and with room it goes on', { skip: !mayMount && 'a small file system of its own wants root' }, async t => {
  const disk = t.testdir()
  const putBack = machine(t)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128M', 'tmpfs', disk])
  try {
    const [folder, filler] = [`${disk}/study`, `${disk}/filler`]
    mkdirSync(folder)
    const first = await harness(['study', '--preset', 'smoke', '--only', 'warmup,pinning-quiet', '--out', folder], {
      after: /^2 of 2: /,
      at: atLoad,
      then: () => { try { writeFileSync(filler, Buffer.alloc(128 * 1024 ** 2)) } catch { /* as full as it gets */ } }
    })
    t.equal(first.code, 1, first.err)
    t.match(first.err, /the disk is full|ENOSPC/)
    t.match(first.err, /what was measured stays usable \(warmup\)/)
    t.match(first.err, /npx harness (report|study --resume) /)
    rmSync(filler)
    const second = await harness(['study', '--resume', folder])
    t.equal(second.code, 0, second.err)
    t.match(second.err, /warmup: complete already, kept/)
    t.equal(readJson<StudyResult>(`${folder}/study.json`).complete, true)
  } finally {
    execFileSync('umount', ['--lazy', disk])
  }
  await putBack([])
})
