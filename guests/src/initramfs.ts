// Puts the guest's first (and only) root file system together: the scripts of demo/root, programs with their libraries,
// kernel modules with their index.
import { readdir, readFile, readlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { constants, zstdCompress } from 'node:zlib';
import { runProgram } from '@vivarium/qemu';
import { type CpioEntry, formatCpio } from './cpio.ts';
import { formatModulesAlias, formatModulesDep, type KernelModule } from './kernel-module.ts';

export interface InitramfsContent {
  /** Folder with the unpacked packages of the userland. */
  readonly userland: string;
  /** Absolute paths in `userland`. */
  readonly programs: readonly string[];
  readonly kernelVersion: string;
  /** Modules whose `file` is a path on this machine. */
  readonly modules: readonly KernelModule[];
  /** Folder that is laid over everything. */
  readonly overlay: string;
}

/** An archive whose `/init` only prints a line and powers off: proof that a 64-bit kernel and user space run. */
export async function makeProbeInitramfs(busybox: string, line: string): Promise<Buffer> {
  const tree = new Tree();
  tree.device('dev/console', 0o600, 5, 1);
  tree.file('bin/busybox', 0o755, await readFile(busybox));
  tree.file('init', 0o755, Buffer.from(`#!/bin/busybox sh\n/bin/busybox echo '${line}'\n/bin/busybox poweroff -f\n`));
  return compress(tree);
}

const EMPTY_FOLDERS = [
  'data',
  'dev',
  'etc/dropbear',
  'mnt',
  'proc',
  'root',
  'run',
  'srv',
  'sys',
  'tmp',
  'var',
  'var/log',
];

/** The archive, compressed with zstd (which Debian's kernel unpacks fastest), the same bytes for the same content. */
export async function makeInitramfs(content: InitramfsContent): Promise<Buffer> {
  const tree = new Tree();
  for (const path of EMPTY_FOLDERS) tree.folder(path);
  tree.device('dev/console', 0o600, 5, 1);
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
    tree.folder(`usr/${name}`);
    tree.link(name, `usr/${name}`);
  }
  await addPrograms(tree, content);
  await addModules(tree, content);
  await addOverlay(tree, content.overlay, '');
  tree.link('init', 'usr/bin/busybox');
  return compress(tree);
}

function compress(tree: Tree): Promise<Buffer> {
  // A higher level takes seconds and saves little.
  return promisify(zstdCompress)(formatCpio(tree.entries()), { params: { [constants.ZSTD_c_compressionLevel]: 12 } });
}

/** Collects entries; a later one replaces an earlier one of the same path, and parent folders come by themselves. */
class Tree {
  readonly #entries = new Map<string, CpioEntry>();

  folder(path: string): void {
    if (this.#entries.has(path)) return;
    this.#parent(path);
    this.#entries.set(path, { kind: 'folder', path, mode: path === 'root' ? 0o700 : 0o755 });
  }

  file(path: string, mode: number, content: Uint8Array): void {
    this.#parent(path);
    this.#entries.set(path, { kind: 'file', path, mode, content });
  }

  link(path: string, target: string): void {
    this.#parent(path);
    this.#entries.set(path, { kind: 'link', path, target });
  }

  device(path: string, mode: number, major: number, minor: number): void {
    this.#parent(path);
    this.#entries.set(path, { kind: 'device', path, mode, major, minor });
  }

  entries(): CpioEntry[] {
    return [...this.#entries.values()];
  }

  #parent(path: string): void {
    if (path.includes('/')) this.folder(path.slice(0, path.lastIndexOf('/')));
  }
}

async function addPrograms(tree: Tree, { userland, programs }: InitramfsContent): Promise<void> {
  for (const program of programs) {
    tree.file(program.slice(1), 0o755, await readFile(join(userland, program)));
    for (const library of await sharedLibraries(userland, program)) {
      tree.file(`usr/lib/x86_64-linux-gnu/${basename(library)}`, 0o755, await readFile(library));
    }
  }
  tree.file('usr/lib64/ld-linux-x86-64.so.2', 0o755, await readFile(join(userland, 'usr/lib64/ld-linux-x86-64.so.2')));
  const { stdout } = await runProgram(join(userland, 'usr/bin/busybox'), ['--list']);
  for (const applet of stdout.toString().trim().split('\n')) {
    if (applet !== 'busybox')
      tree.link(APPLETS_IN_SBIN.has(applet) ? `usr/sbin/${applet}` : `usr/bin/${applet}`, '/usr/bin/busybox');
  }
}

/** Applets that the kernel or other programs call by a path in /sbin. */
const APPLETS_IN_SBIN = new Set(['modprobe', 'init', 'poweroff', 'reboot', 'halt', 'getty', 'ip']);

/** Asks the dynamic linker of the unpacked C library which libraries a program needs. A static program needs none. */
async function sharedLibraries(userland: string, program: string): Promise<string[]> {
  const elf = await readFile(join(userland, program));
  if (!isDynamic(elf)) return [];
  const linker = join(userland, 'usr/lib64/ld-linux-x86-64.so.2');
  const folder = join(userland, 'usr/lib/x86_64-linux-gnu');
  const { stdout } = await runProgram(linker, ['--library-path', folder, '--list', join(userland, program)]);
  return [...stdout.toString().matchAll(/ => (\/\S+) \(/g)]
    .map((match) => match[1] ?? '')
    .filter((path) => path.startsWith(folder));
}

/** Whether an ELF program names an interpreter (program header PT_INTERP = 3). */
function isDynamic(elf: Buffer): boolean {
  const table = Number(elf.readBigUInt64LE(0x20));
  const entrySize = elf.readUInt16LE(0x36);
  const count = elf.readUInt16LE(0x38);
  return Array.from({ length: count }, (_, index) => elf.readUInt32LE(table + index * entrySize)).includes(3);
}

async function addModules(tree: Tree, { modules, kernelVersion }: InitramfsContent): Promise<void> {
  const folder = `usr/lib/modules/${kernelVersion}`;
  for (const module of modules) tree.file(`${folder}/${basename(module.file)}`, 0o644, await readFile(module.file));
  const named = modules.map((module) => ({ ...module, file: basename(module.file) }));
  tree.file(`${folder}/modules.dep`, 0o644, Buffer.from(formatModulesDep(named)));
  tree.file(`${folder}/modules.alias`, 0o644, Buffer.from(formatModulesAlias(named)));
}

async function addOverlay(tree: Tree, overlay: string, path: string): Promise<void> {
  const items = await readdir(join(overlay, path), { withFileTypes: true });
  for (const item of items.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const inside = path === '' ? item.name : `${path}/${item.name}`;
    const target = inside.replace(/^(bin|sbin|lib)\//, 'usr/$1/');
    const source = join(overlay, inside);
    if (item.isDirectory()) await addOverlay(tree, overlay, inside);
    else if (item.isSymbolicLink()) tree.link(target, await readlink(source));
    else tree.file(target, overlayMode(inside), await readFile(source));
  }
}

// Modes are told by place: what git or an archive made of them does not count.
function overlayMode(path: string): number {
  if (path === 'etc/shadow') return 0o600;
  return /^(s?bin|etc\/init\.d|etc\/acpi|srv\/www\/cgi-bin)\/|\.script$/.test(path) ? 0o755 : 0o644;
}
