import { execFileSync } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { packageRoot } from '../package-root.js'
import { guestFiles, jobScript, shellQuoted } from './guest-files.js'

t.test('words arrive unchanged', async t => {
  const words = ['plain', 'it\'s', '$HOME `id` "x" \\', 'a\nb', '', '-n', '*']
  const script = jobScript({ command: [process.execPath, '-e', 'console.log(JSON.stringify([process.argv.slice(1), process.env.A, process.cwd()]))', '--', ...words], cwd: '/', env: { A: 'b\'$c' } })
  t.strictSame(JSON.parse(execFileSync('sh', ['-c', script]).toString()), [words, 'b\'$c', '/'])
  t.equal(shellQuoted('a\'b'), '\'a\'\\\'\'b\'')
})

t.test('a name that is none', async t => {
  t.throws(() => jobScript({ command: ['true'], cwd: '/', env: { 'A B': '' } }), /environment of the VM: "A B" is not a name/)
})

t.test('a folder or program that is not there ends the job', async t => {
  const code = (job: Parameters<typeof jobScript>[0]): number => {
    try { execFileSync('sh', ['-c', jobScript(job)], { stdio: 'ignore' }); return 0 } catch (error) { return (error as { status: number }).status }
  }
  t.equal(code({ command: ['true'], cwd: '/no/folder', env: {} }), 125)
  t.equal(code({ command: ['/no/program'], cwd: '/', env: {} }), 127)
})

t.test('modules are listed by file name in load order; every script of the guest is in the initramfs and is valid', async t => {
  const job = { command: ['true'], cwd: '/', env: {} }
  const files = guestFiles({ ...job, uid: 1000 }, ['/cache/modules/b.ko', '/cache/modules/a.ko'])
  t.equal(files.find(({ path }) => path === 'modules/order')?.text, 'b.ko\na.ko\n')
  const scripts = files.filter(({ text }) => text.startsWith('#!'))
  t.ok(scripts.every(({ mode }) => mode === 0o755))
  for (const { path, text } of scripts) {
    const file = `${t.testdir()}/script`
    writeFileSync(file, text)
    t.doesNotThrow(() => execFileSync('sh', ['-n', file], { stdio: 'pipe' }), path)
  }
  const own = readdirSync(`${packageRoot()}/harness/vm/guest`).length
  t.equal(scripts.length, own + 1, 'and the job')
  t.notOk(guestFiles(job, []).some(({ path }) => files.find(file => file.path === path) === undefined || path === 'weir/user'), 'root\'s job has no user')
})
