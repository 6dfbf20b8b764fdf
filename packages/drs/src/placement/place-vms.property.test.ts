import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ClusterRuleInfo, make, moRef } from '@vivarium/vim';
import fc from 'fast-check';
import type { HostSnapshot } from '../snapshot/host-snapshot.ts';
import type { VmNeeds } from '../snapshot/vm-needs.ts';
import { bestOutcome, outcomeOf } from '../testing/placement-oracle.ts';
import { hostRef, testCluster, testHost, testVm, vmRef } from '../testing/small-cluster.ts';
import { placeVms, rankHosts } from './place-vms.ts';

interface Scene {
  readonly hosts: readonly HostSnapshot[];
  readonly vms: readonly VmNeeds[];
  readonly rules: readonly ClusterRuleInfo[];
}

const amount = (max: number) => fc.integer({ min: 0, max });
const resources = (max: number) => fc.record({ cpuMhz: amount(max), memoryMB: amount(max) });
const stores = fc.subarray(['datastore-1', 'datastore-2'], { minLength: 1 });

const hosts = fc
  .array(
    fc.record({
      capacity: fc.record({
        cpuMhz: fc.constantFrom(8000, 10_000, 16_000),
        memoryMB: fc.constantFrom(8000, 10_000, 16_000),
      }),
      demand: resources(6000),
      reserved: resources(3000),
      vmCount: amount(5),
      datastores: stores.map((values) => new Set(values)),
    }),
    { minLength: 2, maxLength: 3 },
  )
  .map((differs) => differs.map((differ, index) => testHost(index + 9, differ)));

const vms = fc
  .array(
    fc.record({
      demand: resources(4000),
      reservation: fc.oneof(fc.constant({ cpuMhz: 0, memoryMB: 0 }), resources(5000)),
      store: fc.constantFrom('datastore-1', 'datastore-1', 'datastore-2'),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((differs) =>
    differs.map(({ store, ...differ }, index) => {
      const home = { datastore: moRef('Datastore', store), name: store };
      return testVm(index + 1, { ...differ, home, disks: [] });
    }),
  );

const rules = fc
  .array(
    fc.record({
      kind: fc.constantFrom('ClusterAffinityRuleSpec' as const, 'ClusterAntiAffinityRuleSpec' as const),
      mandatory: fc.boolean(),
      ids: fc.subarray([1, 2, 3, 4, 5, 6], { minLength: 2, maxLength: 3 }),
    }),
    { maxLength: 1 },
  )
  .map((specs) =>
    specs.map(({ kind, mandatory, ids }, index) =>
      make(kind, { key: index + 1, enabled: true, mandatory, vm: ids.map(vmRef) }),
    ),
  );

const scene: fc.Arbitrary<Scene> = fc.record({ hosts, vms, rules });

/** The placement as the oracle writes it: an index of `hosts` for each VM. */
function placesOf({ hosts: all, vms: asked, rules: rule }: Scene): number[] {
  const { placed } = placeVms(asked, testCluster(all, { rule: [...rule] }));
  const byVm = new Map(placed.map(({ vm, host }) => [vm.vm.value, host.value]));
  return asked.map(({ vm }) => all.findIndex(({ host }) => host.value === byVm.get(vm.value)));
}

describe('placement, compared with trying everything', () => {
  test('nothing is promised twice, no mandatory rule is broken, and no VM is lost', () => {
    fc.assert(
      fc.property(scene, (given) => {
        const cluster = testCluster(given.hosts, { rule: [...given.rules] });
        const before = cluster.pools.usage('root');
        const plan = placeVms(given.vms, cluster);
        assert.equal(plan.placed.length + plan.refused.length, given.vms.length);
        assert.deepEqual(cluster.pools.usage('root'), before);
        assert.ok(outcomeOf(placesOf(given), given.vms, given.hosts, given.rules));
      }),
      { numRuns: 500 },
    );
  });

  test('the order in which hosts and VMs are named changes nothing', () => {
    fc.assert(
      fc.property(scene, (given) => {
        const plan = (all: Scene['hosts'], asked: Scene['vms']) =>
          new Map(
            placeVms(asked, testCluster(all, { rule: [...given.rules] })).placed.map(({ vm, host, rating }) => [
              vm.vm.value,
              `${host.value} ${rating}`,
            ]),
          );
        const one = plan(given.hosts, given.vms);
        const two = plan(given.hosts.toReversed(), given.vms.toReversed());
        assert.deepEqual([...two].sort(), [...one].sort());
      }),
      { numRuns: 300 },
    );
  });

  test('a single VM gets the host that is best by every measure in turn', () => {
    fc.assert(
      fc.property(hosts, vms, (all, [vm]) => {
        assert.ok(vm);
        const measures = all
          .map((host) => {
            const load = Math.max(
              (host.demand.cpuMhz + vm.demand.cpuMhz) / host.capacity.cpuMhz,
              (host.demand.memoryMB + vm.demand.memoryMB) / host.capacity.memoryMB,
            );
            const headroom = Math.min(
              1 - (host.reserved.cpuMhz + vm.reservation.cpuMhz) / host.capacity.cpuMhz,
              1 - (host.reserved.memoryMB + vm.reservation.memoryMB) / host.capacity.memoryMB,
            );
            const fits =
              host.datastores.has(vm.home.datastore.value) &&
              host.reserved.cpuMhz + vm.reservation.cpuMhz <= host.capacity.cpuMhz &&
              host.reserved.memoryMB + vm.reservation.memoryMB <= host.capacity.memoryMB;
            return {
              host,
              fits,
              key: [load > 1 ? 1 : 0, Math.floor(load * 100), -Math.floor(headroom * 20), host.vmCount],
            };
          })
          .filter(({ fits }) => fits)
          .sort((a, b) => {
            const differing = a.key.findIndex((value, index) => value !== b.key[index]);
            return differing < 0 ? 0 : (a.key[differing] ?? 0) - (b.key[differing] ?? 0);
          });
        const ranked = rankHosts(vm, testCluster(all));
        assert.deepEqual(
          ranked.map(({ host }) => host.value),
          measures.map(({ host }) => host.host.value),
        );
        assert.equal(placeVms([vm], testCluster(all)).placed[0]?.host.value, measures[0]?.host.host.value);
      }),
      { numRuns: 500 },
    );
  });

  test('a set is nearly always placed as completely as it can be, and nearly as evenly', (t) => {
    let complete = 0;
    let even = 0;
    const ratios: number[] = [];
    const scenes = fc.sample(scene, { numRuns: 600, seed: 20_261_122 });
    for (const given of scenes) {
      const best = bestOutcome(given.vms, given.hosts, given.rules);
      const ours = outcomeOf(placesOf(given), given.vms, given.hosts, given.rules);
      assert.ok(ours);
      if (ours.placed < best.placed) continue;
      complete += 1;
      if (ours.brokenRules > best.brokenRules) continue;
      even += 1;
      ratios.push(best.highestLoad === 0 ? 1 : ours.highestLoad / best.highestLoad);
    }
    const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
    const worst = Math.max(...ratios);
    t.diagnostic(
      `of ${scenes.length} sets ${complete} placed as completely and ${even} with as few rules broken as the best; ` +
        `highest load on average ${mean.toFixed(3)} and at worst ${worst.toFixed(2)} times the best`,
    );
    assert.ok(complete >= 0.97 * scenes.length, `${complete} complete`);
    assert.ok(even >= 0.95 * scenes.length, `${even} even`);
    assert.ok(mean <= 1.05, `mean ${mean}`);
    assert.ok(worst <= 2, `worst ${worst}`);
  });
});

test('hosts with the same number in another kind of name keep a fixed order', () => {
  const twins = [
    testHost(1),
    { ...testHost(1), host: { ...hostRef(1), value: 'esx-1' } as ReturnType<typeof hostRef> },
  ];
  assert.equal(placeVms([testVm(1)], testCluster(twins)).placed[0]?.host.value, 'esx-1');
});
