import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault, moRef } from '@vivarium/vim';
import { hostRef } from '../testing/small-cluster.ts';
import { chooseDatastore, type DatastoreSnapshot, requiredBytes } from './choose-datastore.ts';
import { expectedDemand } from './expected-demand.ts';

const GB = 2 ** 30;
const store = (id: number, freeBytes: number, hosts: number[], isAccessible = true): DatastoreSnapshot => ({
  datastore: moRef('Datastore', `datastore-${id}`),
  name: `datastore${id}`,
  isAccessible,
  freeBytes,
  hosts: new Set(hosts.map((host) => `host-${host}`)),
});
const need = (gigabytes: number, provisioning: 'thin' | 'thick' = 'thick') => ({
  disks: [{ capacityBytes: gigabytes * GB, provisioning }],
  memoryMB: 1024,
  memoryReservationMB: 0,
});

test('thick disks and the swap file need their room at once, thin disks do not', () => {
  assert.equal(requiredBytes(need(10)), 11 * GB);
  assert.equal(requiredBytes(need(10, 'thin')), GB);
  assert.equal(requiredBytes({ ...need(10, 'thin'), memoryReservationMB: 2048 }), 0);
});

test('the datastore with the most free space that the hosts reach is chosen', () => {
  const stores = [
    store(1, 20 * GB, [1, 2]),
    store(2, 50 * GB, [2]),
    store(3, 90 * GB, [1], false),
    store(4, 99 * GB, []),
  ];
  assert.equal(chooseDatastore(stores, need(10)).value, 'datastore-2');
  assert.equal(chooseDatastore(stores, need(10), [hostRef(1)]).value, 'datastore-1');
  assert.equal(chooseDatastore([store(10, GB * 9, [1]), store(9, GB * 9, [1])], need(5)).value, 'datastore-9');
});

test('no datastore, and no datastore with room, are two faults', () => {
  const stores = [store(1, 5 * GB, [1])];
  assert.throws(
    () => chooseDatastore(stores, need(10)),
    (error) => isFault(error, 'InsufficientStorageSpace'),
  );
  assert.throws(
    () => chooseDatastore(stores, need(1), [hostRef(2)]),
    (error) => isFault(error, 'NoCompatibleDatastore'),
  );
  assert.equal(chooseDatastore(stores, need(10, 'thin')).value, 'datastore-1');
});

test('a VM is expected to want all that it is configured with, within its limit and not below its reservation', () => {
  const none = { cpuMhz: 0, memoryMB: 0 };
  const size = { numCpu: 2, memoryMB: 4096, reservation: none, limit: { cpuMhz: Infinity, memoryMB: Infinity } };
  assert.deepEqual(expectedDemand(size, 2500), { cpuMhz: 5000, memoryMB: 4096 });
  assert.deepEqual(expectedDemand({ ...size, limit: { cpuMhz: 1000, memoryMB: 1024 } }, 2500), {
    cpuMhz: 1000,
    memoryMB: 1024,
  });
  assert.deepEqual(expectedDemand({ ...size, reservation: { cpuMhz: 0, memoryMB: 4200 } }, 2500), {
    cpuMhz: 5000,
    memoryMB: 4200,
  });
});
