/** Which kernel modules the VM's initramfs carries, and in what order they are loaded. Pure. */

/** crc32c_generic: ext4 asks for it when it mounts, no `depends=` names it. virtio_console: the ports that output goes through. */
export const wantedModules = ['crc32c_generic', 'virtio_pci', 'virtio_blk', 'virtio_console', '9pnet_virtio', '9p', 'overlay', 'ext4']

/** `depends=` of a module's .modinfo section (uncompressed ELF file), as modpost wrote it when the module was built. */
export function dependsOf (module: Buffer): string[] {
  const [, list = ''] = /\0depends=([\w,-]*)\0/.exec(module.toString('latin1')) ?? []
  return list.split(',').filter(name => name !== '').map(moduleName)
}

/** File name or `depends=` name to the name the kernel uses: no folder, no ending, underscores. */
export function moduleName (text: string): string {
  return (text.split('/').at(-1) ?? '').replace(/\.ko(\.\w+)?$/, '').replaceAll('-', '_')
}

/**
 * Every wanted module and what it depends on, each once, a module after all that it depends on.
 * @param depends direct dependencies by module; must have an entry for every module that is reached
 * @throws Error about a circle or a module without an entry
 */
export function loadOrder (wanted: readonly string[], depends: ReadonlyMap<string, readonly string[]>): string[] {
  const order: string[] = []
  const visit = (name: string, path: readonly string[]): void => {
    if (order.includes(name)) return
    const needs = depends.get(name)
    if (needs === undefined) throw new Error(`kernel module ${name}${path.length === 0 ? '' : `, which ${path.at(-1)} needs,`} is not there`)
    if (path.includes(name)) throw new Error(`kernel modules need each other: ${[...path, name].join(' → ')}`)
    for (const need of needs) visit(need, [...path, name])
    order.push(name)
  }
  for (const name of wanted) visit(name, [])
  return order
}
