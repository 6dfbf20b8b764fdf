import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isFault, make, moRef } from '@vivarium/vim';
import { hostRef, testCluster, testHost, testVm, vmRef } from '../testing/small-cluster.ts';
import { findPowerOnFaults, type PlacementPlan, placeVms, rankHosts } from './place-vms.ts';
import { hostRecommendations, powerOnRecommendation } from './recommendation.ts';

/** Host by VM, for those that were placed. */
function where(plan: PlacementPlan): Record<string, string> {
  return Object.fromEntries(plan.placed.map(({ vm, host }) => [vm.vm.value, host.value]));
}

const busy = (cpuMhz: number, memoryMB: number) => ({ demand: { cpuMhz, memoryMB } });
const together = (ids: number[], mandatory = false) =>
  make('ClusterAffinityRuleSpec', { key: 1, name: 'together', enabled: true, mandatory, vm: ids.map(vmRef) });
const apart = (ids: number[], mandatory = false) =>
  make('ClusterAntiAffinityRuleSpec', { key: 2, name: 'apart', enabled: true, mandatory, vm: ids.map(vmRef) });
const group = [
  make('ClusterVmGroup', { name: 'vms', vm: [vmRef(1)] }),
  make('ClusterHostGroup', { name: 'hosts', host: [hostRef(2)] }),
];
const vmHost = (mandatory: boolean, side: 'affineHostGroupName' | 'antiAffineHostGroupName') =>
  make('ClusterVmHostRuleInfo', { key: 3, enabled: true, mandatory, vmGroupName: 'vms', [side]: 'hosts' });

describe('one VM is placed', () => {
  test('where CPU and memory are least in demand', () => {
    const hosts = [testHost(1, busy(5000, 1000)), testHost(2, busy(1000, 4000)), testHost(3, busy(1000, 6000))];
    assert.deepEqual(where(placeVms([testVm(1)], testCluster(hosts))), { 'vm-1': 'host-2' });
  });

  test('where the demand is the smaller part of what the host has', () => {
    const hosts = [
      testHost(1, busy(2000, 2000)),
      testHost(2, { ...busy(3000, 3000), capacity: { cpuMhz: 40_000, memoryMB: 40_000 } }),
    ];
    assert.deepEqual(where(placeVms([testVm(1)], testCluster(hosts))), { 'vm-1': 'host-2' });
  });

  test('at the same load where more is unreserved, then where fewer VMs run, then in the order of morefs', () => {
    const reserved = { cpuMhz: 4000, memoryMB: 0 };
    assert.deepEqual(where(placeVms([testVm(1)], testCluster([testHost(1, { reserved }), testHost(2)]))), {
      'vm-1': 'host-2',
    });
    assert.deepEqual(
      where(placeVms([testVm(1)], testCluster([testHost(1, { vmCount: 3 }), testHost(2, { vmCount: 2 })]))),
      { 'vm-1': 'host-2' },
    );
    assert.deepEqual(where(placeVms([testVm(1)], testCluster([testHost(10), testHost(9)]))), { 'vm-1': 'host-9' });
  });

  test('not where its reservation does not fit, however idle the host is', () => {
    const full = testHost(1, { reserved: { cpuMhz: 9500, memoryMB: 0 } });
    const vm = testVm(1, { reservation: { cpuMhz: 600, memoryMB: 0 } });
    assert.deepEqual(where(placeVms([vm], testCluster([full, testHost(2, busy(9000, 9000))]))), { 'vm-1': 'host-2' });
  });

  test('not where as many VMs run as the host supports', () => {
    const limits = { ...testHost(1).limits, maxRunningVms: 5 };
    const full = testHost(1, { limits, vmCount: 5 });
    assert.deepEqual(where(placeVms([testVm(1)], testCluster([full, testHost(2, busy(9000, 9000))]))), {
      'vm-1': 'host-2',
    });
    const [refusal] = placeVms([testVm(1)], testCluster([full])).refused;
    assert.ok(isFault(refusal?.fault, 'NoCompatibleHost'));
    assert.equal(refusal.fault.fault.error?.[0]?.fault._typeName, 'InsufficientHostCapacityFault');
  });

  test('nowhere when its pool has nothing left, and the pool is as it was', () => {
    const cluster = testCluster([testHost(1)]);
    const none = { reservation: 0, isExpandable: false, limit: Infinity };
    cluster.pools.addPool('qa', 'root', { cpu: none, memory: none });
    const plan = placeVms([testVm(1, { pool: 'qa', reservation: { cpuMhz: 1, memoryMB: 0 } })], cluster);
    assert.ok(isFault(plan.refused[0]?.fault, 'InsufficientCpuResourcesFault'));
    placeVms([testVm(2, { reservation: { cpuMhz: 500, memoryMB: 500 } })], cluster);
    assert.equal(cluster.pools.usage('root').cpu.reservationUsed, 0);
  });

  test('nowhere when no host can run it, and each host says why', () => {
    const hosts = [testHost(1, { isInMaintenance: true }), testHost(2, { reserved: { cpuMhz: 0, memoryMB: 9900 } })];
    const [refusal] = placeVms([testVm(1, { reservation: { cpuMhz: 0, memoryMB: 512 } })], testCluster(hosts)).refused;
    assert.ok(isFault(refusal?.fault, 'NoCompatibleHost'));
    assert.deepEqual(
      refusal.fault.fault.host?.map(({ value }) => value),
      ['host-1', 'host-2'],
    );
    const [maintenance, full] = refusal.fault.fault.error?.map(({ fault }) => fault) ?? [];
    assert.equal(maintenance?._typeName, 'InvalidHostState');
    assert.deepEqual(full, {
      _typeName: 'InsufficientHostMemoryCapacityFault',
      host: hostRef(2),
      unreserved: 100 * 2 ** 20,
      requested: 512 * 2 ** 20,
    });
  });
});

describe('rules at placement', () => {
  const two = [testHost(1), testHost(2, busy(3000, 3000))];

  test('a must-rule decides, also when DRS is off', () => {
    const config = { group, rule: [vmHost(true, 'affineHostGroupName')] };
    assert.deepEqual(where(placeVms([testVm(1)], testCluster(two, config))), { 'vm-1': 'host-2' });
    const off = { ...config, drsConfig: make('ClusterDrsConfigInfo', { enabled: false }) };
    assert.deepEqual(where(placeVms([testVm(1)], testCluster(two, off))), { 'vm-1': 'host-2' });
    const mustNot = { group, rule: [vmHost(true, 'antiAffineHostGroupName')] };
    const [refusal] = placeVms([testVm(1)], testCluster([testHost(2)], mustNot)).refused;
    assert.ok(isFault(refusal?.fault, 'NoCompatibleHardAffinityHost'));
  });

  test('a should-rule is preferred to a lower load, but overloads no host', () => {
    const config = { group, rule: [vmHost(false, 'affineHostGroupName')] };
    assert.deepEqual(where(placeVms([testVm(1)], testCluster(two, config))), { 'vm-1': 'host-2' });
    const loaded = [testHost(1, busy(8000, 0)), testHost(2, busy(9500, 0))];
    const plan = placeVms([testVm(1)], testCluster(loaded, config));
    assert.deepEqual(where(plan), { 'vm-1': 'host-1' });
    assert.equal(plan.placed[0]?.rating, 4);
    const off = { ...config, drsConfig: make('ClusterDrsConfigInfo', { enabled: false }) };
    assert.deepEqual(where(placeVms([testVm(1)], testCluster(two, off))), { 'vm-1': 'host-1' });
  });

  test('VMs that belong together join the one that runs already', () => {
    const cluster = testCluster(two, { rule: [together([1, 7])] }, { 'vm-7': 2 });
    assert.deepEqual(where(placeVms([testVm(1)], cluster)), { 'vm-1': 'host-2' });
  });

  test('a running VM is not kept apart from itself', () => {
    const cluster = testCluster(two, { rule: [apart([1, 7])] }, { 'vm-1': 1, 'vm-7': 2 });
    assert.deepEqual(
      rankHosts(testVm(1), cluster).map(({ host, rank }) => [host.value, rank.brokenRules]),
      [
        ['host-1', 0],
        ['host-2', 1],
      ],
    );
  });

  test('VMs that are kept apart go to different hosts while there are hosts', () => {
    const vms = [testVm(1), testVm(2), testVm(3)];
    const optional = where(placeVms(vms, testCluster(two, { rule: [apart([1, 2, 3])] })));
    assert.equal(new Set(Object.values(optional)).size, 2);
    const plan = placeVms(vms, testCluster(two, { rule: [apart([1, 2, 3], true)] }));
    assert.equal(plan.placed.length, 2);
    assert.ok(isFault(plan.refused[0]?.fault, 'NoCompatibleHost'));
    assert.equal(plan.refused[0]?.fault.fault.error?.[0]?.fault._typeName, 'RuleViolation');
  });

  test('VMs that belong together are placed as one, and apart only where no host takes them all', () => {
    const big = { reservation: { cpuMhz: 6000, memoryMB: 0 } };
    const vms = [testVm(1, big), testVm(2, big), testVm(3)];
    const roomy = [testHost(1), testHost(2, { capacity: { cpuMhz: 12_000, memoryMB: 10_000 } })];
    assert.deepEqual(where(placeVms(vms, testCluster(roomy, { rule: [together([1, 2])] }))), {
      'vm-1': 'host-2',
      'vm-2': 'host-2',
      'vm-3': 'host-1',
    });
    assert.equal(placeVms(vms, testCluster(two, { rule: [together([1, 2])] })).placed.length, 3);
    const plan = placeVms(vms, testCluster(two, { rule: [together([1, 2], true)] }));
    assert.deepEqual(where(plan), { 'vm-3': 'host-1' });
  });
});

describe('a set of VMs is placed', () => {
  test('evenly', () => {
    const vms = Array.from({ length: 30 }, (_, index) => testVm(index + 1));
    const places = Object.values(where(placeVms(vms, testCluster([testHost(1), testHost(2), testHost(3)]))));
    assert.deepEqual(
      [1, 2, 3].map((id) => places.filter((host) => host === `host-${id}`).length),
      [10, 10, 10],
    );
  });

  test('the large ones first, so that they find room', () => {
    const size = (cpuMhz: number) => ({ reservation: { cpuMhz, memoryMB: 0 }, demand: { cpuMhz, memoryMB: 0 } });
    const vms = [...[1, 2, 3, 4].map((id) => testVm(id, size(2500))), testVm(5, size(10_000))];
    assert.equal(placeVms(vms, testCluster([testHost(1), testHost(2)])).refused.length, 0);
  });

  test('one that was placed before moves when that makes room', () => {
    const size = (cpuMhz: number) => ({ reservation: { cpuMhz, memoryMB: 0 }, demand: { cpuMhz, memoryMB: 0 } });
    const home = { datastore: moRef('Datastore', 'datastore-5'), name: 'local' };
    const datastores = new Set(['datastore-1', 'datastore-5']);
    const cluster = testCluster([testHost(1, { datastores }), testHost(2)]);
    const plan = placeVms([testVm(1, size(6000)), testVm(2, { ...size(5000), home })], cluster);
    assert.deepEqual(where(plan), { 'vm-1': 'host-2', 'vm-2': 'host-1' });
  });

  test('a VM that no host takes leaves its pool to the next one', () => {
    const cluster = testCluster([testHost(1)]);
    const settings = { reservation: 1000, isExpandable: false, limit: Infinity };
    cluster.pools.addPool('qa', 'root', { cpu: settings, memory: settings });
    const vms = [
      testVm(1, { pool: 'qa', numCpu: 9, reservation: { cpuMhz: 1000, memoryMB: 0 } }),
      testVm(2, { pool: 'qa', reservation: { cpuMhz: 900, memoryMB: 0 } }),
    ];
    assert.deepEqual(where(placeVms(vms, cluster)), { 'vm-2': 'host-1' });
  });
});

test('every host that could take a VM is ranked, best first, by how much of its demand it can expect', () => {
  const hosts = [
    testHost(1, busy(11_500, 0)),
    testHost(2, busy(2000, 0)),
    testHost(3, { isInMaintenance: true }),
    testHost(4, busy(19_000, 0)),
  ];
  const ranked = rankHosts(testVm(1), testCluster(hosts));
  assert.deepEqual(
    hostRecommendations(ranked).map(({ host, rating }) => [host.value, rating]),
    [
      ['host-2', 5],
      ['host-1', 5],
      ['host-4', 3],
    ],
  );
});

test('a recommendation says what will happen and why, in the schema’s words', () => {
  const [placement] = placeVms(
    [testVm(1)],
    testCluster([testHost(1, busy(2000, 3000)), testHost(2, { isInMaintenance: true })]),
  ).placed;
  assert.ok(placement);
  const target = moRef('ClusterComputeResource', 'domain-c7');
  const recommendation = powerOnRecommendation(placement, { key: '12', time: '2026-11-22T10:00:00Z', target });
  assert.equal(
    recommendation.reasonText,
    'Power on web-1 on esx-1: the demand there becomes 30 % of its CPU and 40 % of its memory, with 1 running VM. 1 host could run it.',
  );
  assert.deepEqual(
    [recommendation.rating, recommendation.reason, recommendation.warningText],
    [5, 'powerOnVm', undefined],
  );
  assert.deepEqual(recommendation.action, [
    make('ClusterInitialPlacementAction', { type: 'VmPowerV1', target: vmRef(1), targetHost: hostRef(1) }),
  ]);
});

test('a host that somebody named is asked for all reasons against it', () => {
  const cluster = testCluster([
    testHost(1, { isInMaintenance: true, reserved: { cpuMhz: 10_000, memoryMB: 0 } }),
    testHost(2),
  ]);
  const names = (id: number) =>
    findPowerOnFaults(testVm(1, { reservation: { cpuMhz: 100, memoryMB: 0 } }), hostRef(id), cluster).map(
      ({ fault }) => fault._typeName,
    );
  assert.deepEqual(names(1), ['InvalidHostState', 'InsufficientHostCpuCapacityFault']);
  assert.deepEqual(names(2), []);
  assert.deepEqual(names(3), ['NoCompatibleHost']);
});
