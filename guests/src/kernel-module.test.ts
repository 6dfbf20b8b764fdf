import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatModulesAlias,
  formatModulesDep,
  type KernelModule,
  moduleName,
  parseKernelModule,
} from './kernel-module.ts';

const module = (name: string, dependsOn: string[] = [], aliases: string[] = []): KernelModule => ({
  name,
  file: `kernel/${name}.ko`,
  dependsOn,
  aliases,
});

/** The smallest ELF object with a .modinfo section: header, names, info, three section headers. */
function elfWith(info: string): Buffer {
  const names = Buffer.from('\0.shstrtab\0.modinfo\0');
  const content = Buffer.from(info);
  const header = Buffer.alloc(64);
  header.writeUInt32BE(0x7f454c46, 0);
  header[4] = 2;
  header.writeBigUInt64LE(BigInt(64 + names.length + content.length), 0x28);
  header.writeUInt16LE(64, 0x3a);
  header.writeUInt16LE(3, 0x3c);
  header.writeUInt16LE(1, 0x3e);
  const section = (name: number, offset: number, size: number) => {
    const bytes = Buffer.alloc(64);
    bytes.writeUInt32LE(name, 0);
    bytes.writeBigUInt64LE(BigInt(offset), 0x18);
    bytes.writeBigUInt64LE(BigInt(size), 0x20);
    return bytes;
  };
  const sections = [section(0, 0, 0), section(1, 64, names.length), section(11, 64 + names.length, content.length)];
  return Buffer.concat([header, names, content, ...sections]);
}

void test('a module tells its name, what it depends on, and which devices it is for', () => {
  const elf = elfWith('license=GPL\0alias=pci:v000015ADd000007C0sv*\0depends=scsi_mod,crc-t10dif\0');
  assert.deepEqual(parseKernelModule('a/vmw-pvscsi.ko', elf), {
    name: 'vmw_pvscsi',
    file: 'a/vmw-pvscsi.ko',
    dependsOn: ['scsi_mod', 'crc_t10dif'],
    aliases: ['pci:v000015ADd000007C0sv*'],
  });
  assert.throws(() => parseKernelModule('x.ko', Buffer.from('not elf')), /not a 64-bit ELF/);
});

void test('names are the same however a module is written', () => {
  assert.equal(moduleName('kernel/lib/crc-t10dif.ko.xz'), 'crc_t10dif');
  assert.equal(moduleName('nls_utf8'), 'nls_utf8');
});

void test('dependencies are listed so that loading from the last to the first works', () => {
  const dep = formatModulesDep([
    module('sd', ['scsi', 't10']),
    module('scsi'),
    module('t10', ['crc', 'scsi']),
    module('crc'),
  ]);
  const [line] = dep.split('\n');
  assert.equal(line, 'kernel/sd.ko: kernel/t10.ko kernel/crc.ko kernel/scsi.ko');
  assert.match(dep, /^kernel\/scsi\.ko:$/m);
});

void test('aliases point to their module', () => {
  assert.equal(
    formatModulesAlias([module('nvme', [], ['pci:*01', 'pci:*02'])]),
    'alias pci:*01 nvme\nalias pci:*02 nvme\n',
  );
});
