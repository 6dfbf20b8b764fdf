import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { systemClock, systemRandom } from '@vivarium/base/node';
import {
  type HttpNfcLeaseInfo,
  type ImportSpec,
  isFault,
  MethodFault,
  type MoRef,
  make,
  moRef,
  type VirtualMachineConfigSpec,
} from '@vivarium/vim';
import { SimImports } from './sim-imports.ts';
import type { SimVmState } from './sim-vm.ts';
import { streamOptimized } from './testing/stream-optimized.ts';

const MIB = 2 ** 20;

/** Every VM that is imported has one disk of 4 MB. */
function world() {
  const discarded: string[] = [];
  const imports = new SimImports({
    clock: systemClock,
    random: systemRandom,
    create({ name = '' }: VirtualMachineConfigSpec) {
      if (name === 'taken') throw new MethodFault('DuplicateName', { name, object: moRef('VirtualMachine', '1') });
      const fileName = `[ds] ${name}/${name}.vmdk`;
      const device = [
        make('VirtualLsiLogicController', { key: 1000, busNumber: 0, sharedBus: 'noSharing' }),
        make('VirtualDisk', {
          key: 2000,
          controllerKey: 1000,
          unitNumber: 0,
          capacityInKB: 4096,
          backing: make('VirtualDiskFlatVer2BackingInfo', { fileName, diskMode: 'persistent' }),
        }),
      ];
      return { ref: moRef('VirtualMachine', '7'), config: { name, hardware: { device } } } as unknown as SimVmState;
    },
    discard: (vm) => discarded.push(vm),
  });
  const spec = (name: string) =>
    make('VirtualMachineImportSpec', { configSpec: make('VirtualMachineConfigSpec', { name }) }) as ImportSpec;
  const look = async (lease: MoRef) => {
    for await (const said of imports.watch(lease, ['state', 'info', 'error'], new AbortController().signal))
      return said;
    throw new Error('nothing was said');
  };
  const begin = async (name = 'web') => {
    const lease = imports.begin(spec(name));
    const info = (await look(lease))['info'] as HttpNfcLeaseInfo;
    const [, token = '', file = ''] = /\/nfc\/([^/]+)\/(.+)$/.exec(info.deviceUrl?.[0]?.url ?? '') ?? [];
    const send = async (content: Uint8Array, announced = content.length) => {
      const body = Readable.from([Buffer.from(content)]);
      const headers = { 'content-length': String(announced) };
      const { signal } = new AbortController();
      return (await imports.receive({ lease: token, file, headers, body, signal })).status;
    };
    return { lease, send };
  };
  return { imports, discarded, spec, look, begin };
}

void test('a disk is taken when it is a VMDK that fits', async () => {
  const { imports, begin, look, discarded } = world();
  const { lease, send } = await begin();
  assert.equal(await send(streamOptimized(4 * MIB)), 200);
  assert.equal(await send(streamOptimized(8 * MIB)), 422, 'larger than the disk');
  assert.equal(await send(new Uint8Array(2000)), 422, 'no VMDK');
  assert.equal(await send(streamOptimized(4 * MIB), 1_000_000), 400, 'broken off');
  await imports.perform(lease, 'HttpNfcLeaseProgress', { percent: 50 });
  await imports.perform(lease, 'HttpNfcLeaseComplete', {});
  assert.equal((await look(lease))['state'], 'done');
  assert.equal(await send(streamOptimized(4 * MIB)), 404, 'it is over');
  assert.deepEqual(discarded, []);
});

void test('an import that is given up leaves no VM', async () => {
  const { imports, begin, look, discarded } = world();
  const { lease, send } = await begin();
  await imports.perform(lease, 'HttpNfcLeaseAbort', {});
  assert.equal((await look(lease))['state'], 'error');
  assert.deepEqual(discarded, ['7']);
  assert.equal(await send(streamOptimized(4 * MIB)), 404);
  assert.throws(
    () => imports.perform(lease, 'HttpNfcLeaseGetManifest', {}),
    (error) => isFault(error, 'NotSupported'),
  );
});

void test('what keeps a VM from being made is the error of its lease', async () => {
  const { imports, spec, look } = world();
  const { state, error } = await look(imports.begin(spec('taken')));
  assert.equal(state, 'error');
  assert.equal((error as { fault: { _typeName: string } }).fault._typeName, 'DuplicateName');
  const app = make('VirtualAppImportSpec', { name: 'app', vAppConfigSpec: make('VAppConfigSpec', {}) } as never);
  assert.throws(
    () => imports.begin(app),
    (fault) => isFault(fault, 'NotSupported'),
  );
});
