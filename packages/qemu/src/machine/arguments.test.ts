import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { plainMachine } from '../test-machine.ts';
import { machineArguments, nicsWithoutLink } from './arguments.ts';
import { MachineError } from './device.ts';
import type { Disk, HostBinding, Machine } from './model.ts';
import { optionText } from './option-text.ts';

const binding: HostBinding = {
  ...{ accelerator: 'tcg', runFolder: '/run/vm', vmFolder: '/vm', networks: {}, paused: false, sandbox: true },
};
const disk: Disk = {
  ...{ id: 'disk-2000', controller: 'scsi0', unit: 0, file: 'a.qcow2', format: 'qcow2', backing: [] },
  ...{ readOnly: false, writeThrough: false, discard: false, serial: '' },
};
const pvscsi = [{ id: 'scsi0', kind: 'pvscsi' as const }];

/** Values of all options of a name. */
function values(args: readonly string[], option: string): string[] {
  return args.flatMap((arg, index) => (arg === option ? [args[index + 1] ?? ''] : []));
}

const parsed = (args: readonly string[], option: string) =>
  values(args, option).map((text) => JSON.parse(text) as Record<string, unknown>);

void suite('arguments', () => {
  void test('of the same machine are the same', () => {
    const machine = plainMachine({ controllers: pvscsi, disks: [disk], rng: true });
    assert.deepEqual(
      machineArguments(machine, binding),
      machineArguments(structuredClone(machine), structuredClone(binding)),
    );
  });

  void test('keep the guest from choosing files: every layer is named, and the last one has none below', () => {
    const layers = {
      backing: [
        { file: 'b.qcow2', format: 'qcow2' },
        { file: '/media/c.raw', format: 'raw' },
      ],
    } as const;
    const nodes = parsed(
      machineArguments(plainMachine({ controllers: pvscsi, disks: [{ ...disk, ...layers }] }), binding),
      '-blockdev',
    );
    assert.deepEqual(
      nodes.map((node) => [
        node['node-name'],
        node['driver'],
        node['filename'] ?? node['file'],
        node['read-only'],
        node['backing'],
      ]),
      [
        ['file-disk-2000.2', 'file', '/media/c.raw', true, undefined],
        ['node-disk-2000.2', 'raw', 'file-disk-2000.2', true, undefined],
        ['file-disk-2000.1', 'file', '/vm/b.qcow2', true, undefined],
        ['node-disk-2000.1', 'qcow2', 'file-disk-2000.1', true, 'node-disk-2000.2'],
        ['file-disk-2000', 'file', '/vm/a.qcow2', false, undefined],
        ['node-disk-2000', 'qcow2', 'file-disk-2000', false, 'node-disk-2000.1'],
      ],
    );
    const single = parsed(machineArguments(plainMachine({ controllers: pvscsi, disks: [disk] }), binding), '-blockdev');
    assert.equal(single[1]?.['backing'], null);
  });

  void test('stop the machine on errors of its storage, and honour flushes', () => {
    const args = machineArguments(plainMachine({ controllers: pvscsi, disks: [disk] }), binding);
    const device = parsed(args, '-device').find(({ id }) => id === 'disk-2000');
    assert.deepEqual([device?.['werror'], device?.['rerror'], device?.['write-cache']], ['stop', 'stop', 'on']);
    assert.deepEqual(parsed(args, '-blockdev')[0]?.['cache'], { direct: false, 'no-flush': false });
    assert.equal(parsed(args, '-blockdev')[0]?.['locking'], 'on');
  });

  void test('carry any file name as it is', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).filter((text) => !text.includes('\0'));
    fc.assert(
      fc.property(name, name, (file, serialFile) => {
        const machine = plainMachine({
          controllers: pvscsi,
          disks: [{ ...disk, file: `x${file}` }],
          serials: [{ id: 's0', index: 0, backing: { kind: 'file', file: `x${serialFile}`, append: true } }],
        });
        const args = machineArguments(machine, binding);
        assert.equal(parsed(args, '-blockdev')[0]?.['filename'], `/vm/x${file}`);
        const chardev = values(args, '-chardev').find((text) => text.startsWith('file,')) ?? '';
        assert.equal(chardev, `file,id=char-s0,path=/vm/x${serialFile.replaceAll(',', ',,')},append=on`);
      }),
    );
  });

  void test('are refused for machines that cannot be', () => {
    const wrong: Partial<Machine>[] = [
      { disks: [disk] },
      { controllers: pvscsi, disks: [{ ...disk, unit: 64 }] },
      { controllers: pvscsi, disks: [{ ...disk, unit: -1 }] },
      { controllers: pvscsi, disks: [disk, disk] },
      { controllers: pvscsi, disks: [{ ...disk, file: '' }] },
      { controllers: pvscsi, disks: [{ ...disk, file: 'a\0b' }] },
      { controllers: pvscsi, disks: [{ ...disk, id: 'a,b' }] },
      { controllers: pvscsi, disks: [{ ...disk, id: 'x'.repeat(40) }] },
      { controllers: pvscsi, disks: [{ ...disk, format: 'raw', backing: [{ file: 'b', format: 'raw' }] }] },
      { controllers: [{ id: 'nvme0', kind: 'nvme' }], cdroms: [{ id: 'cd', controller: 'nvme0', unit: 0 }] },
      { controllers: ['ide0', 'ide1', 'ide2'].map((id) => ({ id, kind: 'ide' as const })) },
      { serials: [{ id: 's', index: 4, backing: { kind: 'null' } }] },
      { nics: [{ id: 'nic', kind: 'vmxnet3', mac: '', linkUp: true }] },
      { machineType: 'microvm' },
      { cpu: { model: 'max,,foo', count: 1, coresPerSocket: 1, maxCount: 1 } },
    ];
    for (const change of wrong) assert.throws(() => machineArguments(plainMachine(change), binding), MachineError);
  });

  void test('say what the binding says', () => {
    const args = machineArguments(plainMachine(), {
      ...binding,
      accelerator: 'kvm',
      paused: true,
      incoming: 'defer',
      sandbox: false,
    });
    assert.deepEqual(values(args, '-accel'), ['kvm']);
    assert.deepEqual(values(args, '-incoming'), ['defer']);
    assert.ok(args.includes('-S'));
    assert.ok(!args.includes('-sandbox'));
    assert.ok(!machineArguments(plainMachine(), binding).includes('-S'));
  });

  void test('give each NIC its network, and none a boot ROM that it does not need', () => {
    const nics = [0, 1, 2].map((index) => ({
      ...{ id: `nic-${4000 + index}`, kind: 'vmxnet3' as const, mac: '00:50:56:00:00:00', linkUp: index !== 1 },
      ...(index === 0 ? { bootIndex: 3 } : {}),
    }));
    const machine = plainMachine({ nics });
    const networks = {
      'nic-4000': { kind: 'tap', fd: 5 },
      'nic-4001': { kind: 'user', hostForward: ['tcp::22-:22'] },
    } as const;
    const args = machineArguments(machine, { ...binding, networks });
    assert.deepEqual(parsed(args, '-netdev'), [
      { type: 'tap', id: 'net-4000', fd: '5' },
      { type: 'user', id: 'net-4001', hostfwd: [{ str: 'tcp::22-:22' }] },
      { type: 'hubport', id: 'net-4002', hubid: 4002 },
    ]);
    const devices = parsed(args, '-device').filter(({ driver }) => driver === 'vmxnet3');
    assert.deepEqual(
      devices.map(({ romfile, bootindex }) => [romfile, bootindex]),
      [
        [undefined, 3],
        ['', undefined],
        ['', undefined],
      ],
    );
    assert.deepEqual(nicsWithoutLink(machine), ['nic-4001']);
  });

  void test('show the boot menu for as long as it is wanted', () => {
    const boot = (change: Partial<Machine>) => values(machineArguments(plainMachine(change), binding), '-boot');
    assert.deepEqual(boot({}), []);
    assert.deepEqual(boot({ bootDelayMs: 5000 }), ['menu=on,splash-time=5000']);
    assert.deepEqual(boot({ enterSetup: true }), ['menu=on,splash-time=65535']);
    assert.deepEqual(boot({ bootDelayMs: 1e9 }), ['menu=on,splash-time=65535']);
  });

  void test('use system management mode for secure boot alone', () => {
    const machine = (args: string[]) => values(args, '-machine')[0] ?? '';
    const efi = (secureBoot: boolean) => plainMachine({ firmware: { kind: 'efi', secureBoot, nvram: 'a.nvram' } });
    assert.match(machine(machineArguments(plainMachine(), binding)), /smm=off/);
    assert.match(machine(machineArguments(efi(false), binding)), /smm=off/);
    const secure = machineArguments(efi(true), binding);
    assert.match(machine(secure), /smm=on/);
    assert.ok(values(secure, '-global').includes('driver=cfi.pflash01,property=secure,value=on'));
    assert.ok(values(secure, '-blockdev').some((node) => node.includes('/usr/share/OVMF/OVMF_CODE_4M.secboot.fd')));
  });

  void test('leave room for processors and memory that are plugged later', () => {
    const cpu = { model: 'qemu64', count: 3, coresPerSocket: 2, maxCount: 5 };
    const args = machineArguments(plainMachine({ cpu, memoryMB: 512, memoryMaxMB: 4096 }), binding);
    assert.deepEqual(values(args, '-smp'), ['cpus=3,maxcpus=6,sockets=3,cores=2,threads=1']);
    assert.deepEqual(values(args, '-m'), ['size=512M,slots=32,maxmem=4096M']);
    assert.deepEqual(values(machineArguments(plainMachine({ memoryMB: 512 }), binding), '-m'), ['size=512M']);
  });
});

void test('option text doubles commas and leaves out what is not set', () => {
  assert.equal(optionText('head', { a: 'x,y', b: true, c: false, d: undefined, e: 5 }), 'head,a=x,,y,b=on,c=off,e=5');
  assert.equal(optionText('', { a: 1 }), 'a=1');
  assert.throws(() => optionText('', { a: 'x\0' }), RangeError);
});
