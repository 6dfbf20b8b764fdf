// Every device of the model, started for real: QEMU takes the arguments, the device is there, and nothing was warned about.
import assert from 'node:assert/strict';
import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { queryBlock } from '../monitor/block.ts';
import { readList } from '../monitor/read.ts';
import { queryStatus, quit } from '../monitor/run-state.ts';
import { inReverse, logOf, makeImage, own, plainMachine, startMachine, testFolder } from '../test-machine.ts';
import { testRuntime } from '../test-runtime.ts';
import { controllerTraits } from './controllers.ts';
import { efiImages } from './firmware.ts';
import type { ControllerKind, Machine, NicKind } from './model.ts';

const runtime = testRuntime();
const machineTypes = ['pc-q35-11.1', 'pc-i440fx-11.1'];

void suite('QEMU starts', { skip: runtime === undefined && 'no runtime root: set VIVARIUM_RUNTIME' }, () => {
  const check = (
    name: string,
    change: Partial<Machine>,
    more: (machine: Awaited<ReturnType<typeof startMachine>>) => Promise<void> = () => Promise.resolve(),
  ) => {
    for (const machineType of machineTypes) {
      void test(`${name} on ${machineType}`, async (context) => {
        const t = inReverse(context);
        const folders = testFolder(t);
        for (const { file, format } of change.disks ?? []) await makeImage(folders.folder, file, format, '8M');
        for (const { file } of [...(change.cdroms ?? []), ...(change.floppies ?? [])]) {
          if (file !== undefined) await makeImage(folders.folder, file, 'raw', '1440k');
        }
        if (change.firmware?.kind === 'efi') {
          const nvram = join(folders.folder, change.firmware.nvram);
          copyFileSync(`${runtime}${efiImages(change.firmware).nvramTemplate}`, nvram);
          own(nvram);
        }
        const machine = await startMachine(t, plainMachine({ machineType, ...change }), {
          ...folders,
          binding: { paused: true },
        });
        assert.deepEqual(await queryStatus(machine.monitor), { state: 'prelaunch', isRunning: false });
        await more(machine);
        await quit(machine.monitor);
        assert.deepEqual(await machine.ended, { code: 0, signal: null });
        assert.equal(logOf(machine).replaceAll(/^.*hub \d+ is not connected to host network\n/gm, ''), '');
      });
    }
  };

  check('a plain machine', {});

  for (const kind of Object.keys(controllerTraits) as ControllerKind[]) {
    const { units, takesCdroms } = controllerTraits[kind];
    const disk = (unit: number, format: 'qcow2' | 'raw') => ({
      ...{ id: `disk-${2000 + unit}`, controller: 'c0', unit, file: `d${unit}`, format, backing: [] },
      ...{ readOnly: false, writeThrough: unit === 0, discard: true, serial: '6000c29e3d5f4a0b8c7d6e5f4a3b2c1d' },
    });
    const disks = [disk(0, 'qcow2'), disk(units - 1, 'raw')];
    check(
      `disks on the first and the last unit of ${kind}`,
      { controllers: [{ id: 'c0', kind }], disks },
      async ({ monitor }) => {
        const nodes = (await queryBlock(monitor)).map(({ id, node }) => [id, node]);
        for (const { id } of disks) {
          assert.ok(
            nodes.some(([device, node]) => node === `node-${id}` && device?.includes(id)),
            JSON.stringify(nodes),
          );
        }
      },
    );
    if (takesCdroms) {
      const cdrom = (unit: number) => ({ id: `cdrom-${unit}`, controller: 'c0', unit });
      check(`CD-ROM drives on ${kind}, one empty`, {
        controllers: [{ id: 'c0', kind }],
        cdroms: [cdrom(0), { ...cdrom(1), file: 'cd, with "odd" näme.iso' }],
      });
    }
  }

  for (const kind of ['vmxnet3', 'e1000', 'e1000e', 'virtio', 'pcnet'] as NicKind[]) {
    const nics = [0, 1].map((index) => ({
      ...{ id: `nic-${4000 + index}`, kind, mac: `00:50:56:00:00:0${index}`, linkUp: true },
      ...(index === 0 ? { bootIndex: 1 } : {}),
    }));
    check(`${kind} NICs`, { nics }, async ({ monitor }) => {
      const devices = readList(await monitor.execute('qom-list', { path: '/machine/peripheral' }));
      for (const { id } of nics) assert.ok(devices.some(({ name }) => name === id));
    });
  }

  check('the whole of a large machine', {
    memoryMB: 128,
    memoryMaxMB: 1024,
    cpu: { model: 'qemu64', count: 2, coresPerSocket: 2, maxCount: 8 },
    controllers: [
      ...(['pvscsi', 'lsisas', 'pvscsi', 'virtio-scsi'] as const).map((kind, index) => ({ id: `scsi${index}`, kind })),
      ...[0, 1, 2, 3].map((index) => ({ id: `sata${index}`, kind: 'ahci' as const })),
      ...[0, 1, 2, 3].map((index) => ({ id: `nvme${index}`, kind: 'nvme' as const })),
      { id: 'ide0', kind: 'ide' },
      { id: 'ide1', kind: 'ide' },
    ],
    cdroms: [
      { id: 'cdrom-3000', controller: 'ide0', unit: 0 },
      { id: 'cdrom-3002', controller: 'ide1', unit: 1 },
    ],
    nics: Array.from({ length: 10 }, (_, index) => ({
      ...{ id: `nic-${4000 + index}`, kind: 'vmxnet3' as const, mac: `00:50:56:00:00:0${index}`, linkUp: true },
    })),
    serials: [0, 1, 2, 3].map((index) => ({ id: `serial-${9000 + index}`, index, backing: { kind: 'null' } })),
    usbInput: true,
    balloon: true,
    rng: true,
    generationId: '12345678-1234-1234-1234-123456789abc',
    smbios: { manufacturer: 'A, B', product: 'C=D', serial: 'on,off' },
  });

  check('floppy drives, one empty', {
    floppies: [
      { id: 'floppy-8000', unit: 0, file: 'boot.flp', readOnly: true, bootIndex: 1 },
      { id: 'floppy-8001', unit: 1, readOnly: false },
    ],
  });

  check(
    'serial ports to a file with a hostile name, a socket and nothing',
    {
      serials: [
        {
          id: 'serial-0',
          index: 0,
          backing: { kind: 'file', file: 'a,path=x,append=off,b=$(id) "ö".log', append: true },
        },
        { id: 'serial-1', index: 1, backing: { kind: 'socket', server: true, path: 'serial-1.sock' } },
        { id: 'serial-2', index: 2, backing: { kind: 'null' } },
      ],
    },
    ({ folder, runFolder }) => {
      assert.ok(existsSync(join(folder, 'a,path=x,append=off,b=$(id) "ö".log')));
      assert.ok(existsSync(join(runFolder, 'serial-1.sock')));
      return Promise.resolve();
    },
  );

  for (const kind of ['std', 'vmware', 'virtio'] as const) {
    check(`${kind} video`, { video: { kind, videoRamKB: 65_536 } });
  }

  check('EFI firmware', { firmware: { kind: 'efi', secureBoot: false, nvram: 'test.nvram' } });

  check('a hostile machine name', { name: 'x,process=evil,debug-threads=off -S "é\n' });

  void test('secure boot on q35', async (context) => {
    const t = inReverse(context);
    const folders = testFolder(t);
    const firmware = { kind: 'efi', secureBoot: true, nvram: 'test.nvram' } as const;
    copyFileSync(`${runtime}${efiImages(firmware).nvramTemplate}`, join(folders.folder, firmware.nvram));
    own(join(folders.folder, firmware.nvram));
    const { monitor } = await startMachine(t, plainMachine({ firmware }), folders);
    const pci = readList(await monitor.execute('query-pci'));
    assert.equal(pci.length, 1);
  });
});
