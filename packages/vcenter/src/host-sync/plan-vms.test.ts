import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MoRef, moRef } from '@vivarium/vim';
import type { EntityRecord } from '../inventory/entity-records.ts';
import { planVms, type ReportedVm, type VmElsewhere } from './plan-vms.ts';

const URL = 'ds:///vmfs/volumes/1/';

function reported(hostKey: string, instanceUuid: string, path: string, more: Partial<ReportedVm> = {}): ReportedVm {
  const vmPathName = `[datastore1] ${path}`;
  return { hostKey, instanceUuid, vmPathName, name: path, datastoreUrl: URL, isRunning: false, ...more };
}

function own(id: string, hostKey: string, instanceUuid: string, path: string) {
  const record: EntityRecord<'VirtualMachine'> = {
    name: id,
    parent: moRef('Folder', 'group-v1') as MoRef,
    host: moRef('HostSystem', 'host-1'),
    hostKey,
    instanceUuid,
    vmPathName: `[datastore1] ${path}`,
    datastoreUrl: URL,
    resourcePool: moRef('ResourcePool', 'resgroup-1'),
    hostName: id,
  };
  return [moRef('VirtualMachine', id), record] as const;
}

const nowhere = () => undefined;
const told = (steps: ReturnType<typeof planVms>) =>
  steps.map((step) => {
    const name = step.kind === 'remove' ? '' : ` ${step.vm.hostKey}`;
    const ref = 'ref' in step ? ` ${step.ref.value}` : '';
    return `${step.kind}${name}${ref}${'sharesUuid' in step && step.sharesUuid ? ' shares' : ''}`;
  });

void test('of two VMs with one instance UUID on a host, the one that was there first has it', () => {
  const original = reported('1', 'u', 'a/a.vmx');
  const copy = reported('2', 'u', 'copy/a.vmx');
  assert.deepEqual(told(planVms({ reported: [original, copy], own: [], elsewhere: nowhere })), [
    'add 1',
    'add 2 shares',
  ]);
  // Whichever the host tells of first.
  const known = [own('vm-1', '1', 'u', 'a/a.vmx')];
  assert.deepEqual(told(planVms({ reported: [copy, original], own: known, elsewhere: nowhere })), [
    'add 2 shares',
    'keep 1 vm-1',
  ]);
  const both = [own('vm-2', '2', '', 'copy/a.vmx'), ...known];
  assert.deepEqual(told(planVms({ reported: [copy, original], own: both, elsewhere: nowhere })), [
    'keep 2 vm-2 shares',
    'keep 1 vm-1',
  ]);
  const mended = reported('2', 'u2', 'copy/a.vmx');
  assert.deepEqual(told(planVms({ reported: [mended, original], own: both, elsewhere: nowhere })), [
    'keep 2 vm-2',
    'keep 1 vm-1',
  ]);
});

void test('a host that has lost its keys still has the same VMs, and a copy is not taken for its original', () => {
  const known = [own('vm-1', '1', 'u', 'a/a.vmx'), own('vm-2', '2', '', 'copy/a.vmx')];
  const steps = planVms({
    reported: [reported('7', 'u', 'copy/a.vmx'), reported('1', 'u', 'a/a.vmx')],
    own: known,
    elsewhere: nowhere,
  });
  assert.deepEqual(told(steps).toSorted(), ['add 7 shares', 'keep 1 vm-1', 'remove vm-2']);
  const renamed = planVms({ reported: [reported('7', 'u', 'b/b.vmx')], own: known.slice(0, 1), elsewhere: nowhere });
  assert.deepEqual(told(renamed), ['keep 7 vm-1']);
});

void test('a VM that its host cannot read now is still itself', () => {
  const unread = reported('1', '', 'a/a.vmx', { name: '[datastore1] a/a.vmx', datastoreUrl: '' });
  const steps = planVms({ reported: [unread], own: [own('vm-1', '1', 'u', 'a/a.vmx')], elsewhere: nowhere });
  assert.deepEqual(told(steps), ['keep 1 vm-1']);
});

void test('a VM of another host is moved, ignored or told apart by its files and by who runs it', () => {
  const [ref, record] = own('vm-9', '5', 'u', 'a/a.vmx');
  const plan = (vm: ReportedVm, other: Partial<VmElsewhere>) =>
    told(
      planVms({
        reported: [vm],
        own: [],
        elsewhere: () => ({ ref, record, isClaimed: true, isRunning: true, ...other }),
      }),
    );
  const same = reported('1', 'u', 'a/a.vmx');
  assert.deepEqual(plan(same, {}), ['ignore 1']);
  assert.deepEqual(plan(same, { isClaimed: false }), ['move 1 vm-9']);
  assert.deepEqual(plan({ ...same, isRunning: true }, { isRunning: false }), ['move 1 vm-9']);
  assert.deepEqual(plan(reported('1', 'u', 'copy/a.vmx'), {}), ['add 1 shares']);
});
