// Reads what a Linux kernel module says about itself (its `.modinfo` section: NUL-ended `key=value` strings), and writes
// the two index files that modprobe needs. Pure.

export interface KernelModule {
  /** With underscores, as the kernel names it. */
  readonly name: string;
  readonly file: string;
  readonly dependsOn: readonly string[];
  readonly aliases: readonly string[];
}

/** Throws on anything but a 64-bit little-endian ELF object with a `.modinfo` section. */
export function parseKernelModule(file: string, elf: Buffer): KernelModule {
  const info = readSection(elf, '.modinfo').toString('latin1').split('\0');
  const values = (key: string) =>
    info.filter((entry) => entry.startsWith(`${key}=`)).map((entry) => entry.slice(key.length + 1));
  return {
    name: moduleName(file),
    file,
    dependsOn: values('depends').flatMap((list) =>
      list
        .split(',')
        .filter((name) => name !== '')
        .map(moduleName),
    ),
    aliases: values('alias'),
  };
}

/** `…/crc-t10dif.ko.xz` is the module `crc_t10dif`. */
export function moduleName(file: string): string {
  return file
    .slice(file.lastIndexOf('/') + 1)
    .replace(/\.ko(\.\w+)?$/, '')
    .replaceAll('-', '_');
}

function readSection(elf: Buffer, wanted: string): Buffer {
  if (elf.length < 64 || elf.readUInt32BE(0) !== 0x7f454c46 || elf[4] !== 2) throw new Error('not a 64-bit ELF object');
  const table = Number(elf.readBigUInt64LE(0x28));
  const entrySize = elf.readUInt16LE(0x3a);
  const section = (index: number) => {
    const header = elf.subarray(table + index * entrySize, table + (index + 1) * entrySize);
    const offset = Number(header.readBigUInt64LE(0x18));
    return {
      name: header.readUInt32LE(0),
      content: elf.subarray(offset, offset + Number(header.readBigUInt64LE(0x20))),
    };
  };
  const names = section(elf.readUInt16LE(0x3e)).content;
  for (let index = 0; index < elf.readUInt16LE(0x3c); index++) {
    const { name, content } = section(index);
    if (names.toString('latin1', name, names.indexOf(0, name)) === wanted) return content;
  }
  throw new Error(`no section ${wanted}`);
}

/** modules.dep: for each module everything it needs, directly or not, what has to be loaded first coming last. */
export function formatModulesDep(modules: readonly KernelModule[]): string {
  const byName = new Map(modules.map((module) => [module.name, module]));
  const order = (module: KernelModule, seen: Set<string>): string[] => {
    if (seen.has(module.name)) return [];
    seen.add(module.name);
    const below = module.dependsOn.flatMap((name) => {
      const needed = byName.get(name);
      return needed === undefined ? [] : order(needed, seen);
    });
    return [...below, module.file];
  };
  return modules
    .map(
      (module) =>
        `${module.file}:${order(module, new Set())
          .slice(0, -1)
          .reverse()
          .map((file) => ` ${file}`)
          .join('')}\n`,
    )
    .join('');
}

export function formatModulesAlias(modules: readonly KernelModule[]): string {
  return modules.flatMap(({ name, aliases }) => aliases.map((alias) => `alias ${alias} ${name}\n`)).join('');
}
