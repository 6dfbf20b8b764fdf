import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type ClusterConfigInfoEx,
  type ClusterConfigSpecEx,
  type ClusterRuleInfo,
  isFault,
  type ManagedObjectReference,
  make,
  moRef,
} from '@vivarium/vim';
import fc from 'fast-check';
import { applyClusterConfigSpec } from './apply-cluster-config-spec.ts';
import type { ClusterContext } from './cluster-context.ts';
import { defaultClusterConfig } from './default-cluster-config.ts';
import { leaveCluster } from './leave-cluster.ts';
import { drsBehaviorOf } from './vm-behavior.ts';

const vm = (id: number) => moRef('VirtualMachine', `vm-${id}`);
const host = (id: number) => moRef('HostSystem', `host-${id}`);

/** VMs and hosts 1 to 9 are in the cluster. */
function newContext(): ClusterContext {
  let key = 0;
  let id = 0;
  return {
    cluster: moRef('ClusterComputeResource', 'domain-c7'),
    isMember: ({ value }: ManagedObjectReference) => /^(vm|host)-[1-9]$/.test(value),
    nextRuleKey: () => ++key,
    newUuid: () => `uuid-${++id}`,
  };
}

function newCluster() {
  const context = newContext();
  let config = defaultClusterConfig();
  return {
    get config() {
      return config;
    },
    apply(spec: Partial<ClusterConfigSpecEx>, isIncremental = true): ClusterConfigInfoEx {
      config = applyClusterConfigSpec(config, make('ClusterConfigSpecEx', spec), context, isIncremental);
      return config;
    },
  };
}

const add = (info: ClusterRuleInfo) => make('ClusterRuleSpec', { operation: 'add', info });
const edit = (info: ClusterRuleInfo) => make('ClusterRuleSpec', { operation: 'edit', info });
const together = (name: string, ids: number[], enabled = true) =>
  make('ClusterAffinityRuleSpec', { name, enabled, vm: ids.map(vm) });
const apart = (name: string, ids: number[], enabled = true) =>
  make('ClusterAntiAffinityRuleSpec', { name, enabled, vm: ids.map(vm) });
const vmGroup = (name: string, ids: number[]) =>
  make('ClusterGroupSpec', { operation: 'add', info: make('ClusterVmGroup', { name, vm: ids.map(vm) }) });
const hostGroup = (name: string, ids: number[]) =>
  make('ClusterGroupSpec', { operation: 'add', info: make('ClusterHostGroup', { name, host: ids.map(host) }) });
const mustRun = (name: string, vms: string, hosts: string) =>
  make('ClusterVmHostRuleInfo', { name, enabled: true, mandatory: true, vmGroupName: vms, affineHostGroupName: hosts });

const invalid = (property: string) => (error: unknown) =>
  isFault(error, 'InvalidArgument') && error.fault.invalidProperty === property;

describe('settings of a cluster', () => {
  test('an incremental spec changes what it sets, in depth', () => {
    const cluster = newCluster();
    cluster.apply({
      drsConfig: make('ClusterDrsConfigInfo', { enabled: true }),
      dasConfig: make('ClusterDasConfigInfo', {
        enabled: true,
        defaultVmSettings: make('ClusterDasVmSettings', { restartPriority: 'high' }),
      }),
    });
    assert.equal(cluster.config.drsConfig.enabled, true);
    assert.equal(cluster.config.drsConfig.vmotionRate, 3);
    assert.equal(cluster.config.dasConfig.defaultVmSettings?.restartPriority, 'high');
    assert.equal(cluster.config.dasConfig.defaultVmSettings?.isolationResponse, 'none');
  });

  test('an admission policy of another kind replaces the old one', () => {
    const cluster = newCluster();
    const admissionControlPolicy = make('ClusterFailoverResourcesAdmissionControlPolicy', {
      cpuFailoverResourcesPercent: 25,
      memoryFailoverResourcesPercent: 30,
    });
    cluster.apply({ dasConfig: make('ClusterDasConfigInfo', { admissionControlPolicy }) });
    assert.deepEqual(cluster.config.dasConfig.admissionControlPolicy, admissionControlPolicy);
  });

  test('a spec that is not incremental starts from the defaults', () => {
    const cluster = newCluster();
    cluster.apply({
      drsConfig: make('ClusterDrsConfigInfo', { enabled: true, vmotionRate: 5 }),
      rulesSpec: [add(apart('r', [1, 2]))],
    });
    cluster.apply({ drsConfig: make('ClusterDrsConfigInfo', { enabled: true }) }, false);
    assert.equal(cluster.config.drsConfig.vmotionRate, 3);
    assert.equal(cluster.config.rule, undefined);
  });

  test('advanced options are merged by key, and an empty value removes one', () => {
    const cluster = newCluster();
    const option = (key: string, value: string) =>
      make('OptionValue', { key, value: { _typeName: 'string', _value: value } });
    cluster.apply({ drsConfig: make('ClusterDrsConfigInfo', { option: [option('a', '1'), option('b', '2')] }) });
    cluster.apply({ drsConfig: make('ClusterDrsConfigInfo', { option: [option('a', ''), option('c', '3')] }) });
    assert.deepEqual(
      cluster.config.drsConfig.option?.map(({ key }) => key),
      ['b', 'c'],
    );
  });

  test('what is out of range or not built is refused', () => {
    const cluster = newCluster();
    assert.throws(
      () => cluster.apply({ drsConfig: make('ClusterDrsConfigInfo', { vmotionRate: 6 }) }),
      invalid('drsConfig.vmotionRate'),
    );
    assert.throws(() => cluster.apply({ vmSwapPlacement: 'elsewhere' }), invalid('vmSwapPlacement'));
    assert.throws(
      () => cluster.apply({ vsanConfig: make('VsanClusterConfigInfo', { enabled: true }) }),
      (error) => isFault(error, 'NotSupported'),
    );
  });
});

describe('rules of a cluster', () => {
  test('a new rule gets a key and a uuid of ours, whatever the client puts there', () => {
    const cluster = newCluster();
    cluster.apply({ rulesSpec: [add({ ...together('a', [1, 2]), key: 1 }), add({ ...apart('b', [3, 4]), key: 1 })] });
    assert.deepEqual(
      cluster.config.rule?.map(({ key, ruleUuid }) => [key, ruleUuid]),
      [
        [1, 'uuid-1'],
        [2, 'uuid-2'],
      ],
    );
    assert.equal(cluster.config.rule?.[0]?.userCreated, true);
    assert.equal(cluster.config.rule?.[0]?.mandatory, false);
  });

  test('a rule needs a name of its own and two VMs of the cluster', () => {
    const cluster = newCluster();
    cluster.apply({ rulesSpec: [add(together('a', [1, 2]))] });
    assert.throws(
      () => cluster.apply({ rulesSpec: [add(apart('a', [3, 4]))] }),
      (error) =>
        isFault(error, 'DuplicateName') && error.fault.name === 'a' && error.fault.object.value === 'domain-c7',
    );
    assert.throws(() => cluster.apply({ rulesSpec: [add(apart('b', [1]))] }), invalid('rulesSpec.info.vm'));
    assert.throws(() => cluster.apply({ rulesSpec: [add(apart('b', [1, 1]))] }), invalid('rulesSpec.info.vm'));
    assert.throws(() => cluster.apply({ rulesSpec: [add(apart('b', [1, 77]))] }), invalid('rulesSpec.info.vm'));
    assert.throws(() => cluster.apply({ rulesSpec: [add(apart('', [1, 2]))] }), invalid('rulesSpec.info.name'));
    assert.equal(cluster.config.rule?.length, 1);
  });

  test('an edit finds its rule by key and keeps what it does not set', () => {
    const cluster = newCluster();
    cluster.apply({
      groupSpec: [vmGroup('web', [1, 2]), hostGroup('left', [1]), hostGroup('right', [2])],
      rulesSpec: [add(mustRun('r', 'web', 'left'))],
    });
    cluster.apply({
      rulesSpec: [edit(make('ClusterVmHostRuleInfo', { key: 1, affineHostGroupName: 'right', ruleUuid: 'mine' }))],
    });
    const [rule] = cluster.config.rule ?? [];
    assert.deepEqual(
      { ...rule },
      {
        ...mustRun('r', 'web', 'right'),
        key: 1,
        ruleUuid: 'uuid-4',
        status: 'green',
        inCompliance: true,
        userCreated: true,
      },
    );
    assert.throws(
      () => cluster.apply({ rulesSpec: [edit({ ...apart('r', [1, 2]), key: 1 })] }),
      invalid('rulesSpec.info'),
    );
    assert.throws(
      () => cluster.apply({ rulesSpec: [edit({ ...apart('r', [1, 2]), key: 9 })] }),
      invalid('rulesSpec.info'),
    );
  });

  test('a rule is removed by its key, as govc sends it', () => {
    const cluster = newCluster();
    cluster.apply({ rulesSpec: [add(together('a', [1, 2])), add(together('b', [3, 4]))] });
    const remove = (removeKey: unknown) => make('ClusterRuleSpec', { operation: 'remove', removeKey });
    cluster.apply({ rulesSpec: [remove({ _typeName: 'int', _value: 1 })] });
    assert.deepEqual(
      cluster.config.rule?.map(({ name }) => name),
      ['b'],
    );
    assert.throws(() => cluster.apply({ rulesSpec: [remove(1)] }), invalid('rulesSpec.removeKey'));
    assert.throws(() => cluster.apply({ rulesSpec: [remove('b')] }), invalid('rulesSpec.removeKey'));
  });

  test('of rules that contradict each other the newer one is disabled, also by way of a third VM', () => {
    const cluster = newCluster();
    cluster.apply({
      rulesSpec: [
        add(together('ab', [1, 2])),
        add(together('bc', [2, 3])),
        add(apart('ac', [1, 3])),
        add(apart('ad', [1, 4])),
      ],
    });
    assert.deepEqual(
      cluster.config.rule?.map(({ enabled }) => enabled),
      [true, true, false, true],
    );
    cluster.apply({ rulesSpec: [add(together('cd', [3, 4]))] });
    assert.equal(cluster.config.rule?.at(-1)?.enabled, false);
  });

  test('of rules that leave a VM no host the newer one is disabled', () => {
    const cluster = newCluster();
    cluster.apply({
      groupSpec: [vmGroup('web', [1, 2]), vmGroup('db', [2]), hostGroup('left', [1, 2]), hostGroup('right', [3])],
      rulesSpec: [add(mustRun('web left', 'web', 'left')), add(mustRun('db right', 'db', 'right'))],
    });
    assert.deepEqual(
      cluster.config.rule?.map(({ enabled }) => enabled),
      [true, false],
    );
  });

  test('a VM-Host rule names groups that are there, of the right kind, one of them with a host', () => {
    const cluster = newCluster();
    cluster.apply({ groupSpec: [vmGroup('web', [1, 2]), hostGroup('none', []), hostGroup('left', [1])] });
    const addRule = (rule: ClusterRuleInfo) => () => cluster.apply({ rulesSpec: [add(rule)] });
    assert.throws(addRule(mustRun('r', 'other', 'left')), invalid('rulesSpec.info.vmGroupName'));
    assert.throws(addRule(mustRun('r', 'left', 'left')), invalid('rulesSpec.info.vmGroupName'));
    assert.throws(addRule(mustRun('r', 'web', 'web')), invalid('rulesSpec.info.affineHostGroupName'));
    assert.throws(addRule(mustRun('r', 'web', 'none')), invalid('rulesSpec.info.affineHostGroupName'));
    addRule(mustRun('r', 'web', 'left'))();
  });

  test('dependencies of restarts make no circle', () => {
    const cluster = newCluster();
    cluster.apply({ groupSpec: [vmGroup('a', [1]), vmGroup('b', [2]), vmGroup('c', [3])] });
    const dependency = (vmGroupName: string, dependsOnVmGroup: string) =>
      add(
        make('ClusterDependencyRuleInfo', {
          name: `${vmGroupName}${dependsOnVmGroup}`,
          enabled: true,
          vmGroup: vmGroupName,
          dependsOnVmGroup,
        }),
      );
    cluster.apply({ rulesSpec: [dependency('a', 'b'), dependency('b', 'c')] });
    assert.throws(
      () => cluster.apply({ rulesSpec: [dependency('c', 'a')] }),
      invalid('rulesSpec.info.dependsOnVmGroup'),
    );
  });
});

describe('groups of a cluster', () => {
  test('a group that a rule names cannot be removed, unless the rule goes with it', () => {
    const cluster = newCluster();
    cluster.apply({
      groupSpec: [vmGroup('web', [1, 2]), hostGroup('left', [1])],
      rulesSpec: [add(mustRun('r', 'web', 'left'))],
    });
    const removeGroup = make('ClusterGroupSpec', { operation: 'remove', removeKey: 'web' });
    assert.throws(
      () => cluster.apply({ groupSpec: [removeGroup] }),
      (error) => isFault(error, 'ResourceInUse') && error.fault.name === 'web',
    );
    cluster.apply({
      groupSpec: [removeGroup],
      rulesSpec: [make('ClusterRuleSpec', { operation: 'remove', removeKey: 1 })],
    });
    assert.deepEqual(
      cluster.config.group?.map(({ name }) => name),
      ['left'],
    );
  });

  test('VM groups and host groups share their names, and an edit keeps the kind', () => {
    const cluster = newCluster();
    cluster.apply({ groupSpec: [vmGroup('web', [1, 2])] });
    assert.throws(
      () => cluster.apply({ groupSpec: [hostGroup('web', [1])] }),
      (error) => isFault(error, 'DuplicateName'),
    );
    const editGroup = (info: ReturnType<typeof hostGroup>['info']) =>
      make('ClusterGroupSpec', { operation: 'edit', info });
    assert.throws(
      () => cluster.apply({ groupSpec: [editGroup(hostGroup('web', [1]).info)] }),
      invalid('groupSpec.info'),
    );
    cluster.apply({ groupSpec: [editGroup(vmGroup('web', [3]).info)] });
    assert.deepEqual(
      { ...cluster.config.group?.[0] },
      { ...vmGroup('web', [3]).info, userCreated: true, uniqueID: 'uuid-1' },
    );
    assert.throws(() => cluster.apply({ groupSpec: [vmGroup('far', [77])] }), invalid('groupSpec.info.vm'));
  });
});

describe('overrides', () => {
  test('a VM has a behaviour of its own where overrides are enabled', () => {
    const cluster = newCluster();
    cluster.apply({ drsConfig: make('ClusterDrsConfigInfo', { enabled: true }) });
    assert.equal(drsBehaviorOf(cluster.config, vm(1)), 'fullyAutomated');
    const override = (operation: 'add' | 'edit', info: { enabled?: boolean; behavior?: 'manual' }) =>
      make('ClusterDrsVmConfigSpec', { operation, info: make('ClusterDrsVmConfigInfo', { key: vm(1), ...info }) });
    cluster.apply({ drsVmConfigSpec: [override('add', { behavior: 'manual' })] });
    assert.equal(drsBehaviorOf(cluster.config, vm(1)), 'manual');
    assert.equal(cluster.config.drsVmConfig?.[0]?.enabled, true, 'unless it is said otherwise');
    cluster.apply({ drsVmConfigSpec: [override('edit', { enabled: false })] });
    assert.deepEqual(
      cluster.config.drsVmConfig?.[0],
      make('ClusterDrsVmConfigInfo', { key: vm(1), enabled: false, behavior: 'manual' }),
    );
    assert.equal(drsBehaviorOf(cluster.config, vm(1)), undefined);
    assert.throws(() => cluster.apply({ drsVmConfigSpec: [override('add', {})] }), invalid('drsVmConfigSpec.info'));
    cluster.apply({ drsConfig: make('ClusterDrsConfigInfo', { enableVmBehaviorOverrides: false }) });
    assert.equal(drsBehaviorOf(cluster.config, vm(1)), 'fullyAutomated');
    cluster.apply({
      drsVmConfigSpec: [
        make('ClusterDrsVmConfigSpec', {
          operation: 'remove',
          removeKey: { _typeName: 'ManagedObjectReference', ...vm(1) },
        }),
      ],
    });
    assert.deepEqual(cluster.config.drsVmConfig, []);
  });

  test('HA settings of a VM are merged in depth, and a VM from elsewhere has none', () => {
    const cluster = newCluster();
    const settings = (operation: 'add' | 'edit', id: number, dasSettings: object) =>
      make('ClusterDasVmConfigSpec', {
        operation,
        info: make('ClusterDasVmConfigInfo', { key: vm(id), dasSettings: make('ClusterDasVmSettings', dasSettings) }),
      });
    cluster.apply({ dasVmConfigSpec: [settings('add', 1, { restartPriority: 'high', isolationResponse: 'none' })] });
    cluster.apply({ dasVmConfigSpec: [settings('edit', 1, { restartPriority: 'low' })] });
    assert.deepEqual(
      { ...cluster.config.dasVmConfig?.[0]?.dasSettings },
      make('ClusterDasVmSettings', { restartPriority: 'low', isolationResponse: 'none' }),
    );
    assert.throws(() => cluster.apply({ dasVmConfigSpec: [settings('add', 77, {})] }), invalid('dasVmConfigSpec.info'));
  });
});

test('a VM that leaves the cluster is forgotten by groups, rules and overrides', () => {
  const cluster = newCluster();
  cluster.apply({
    groupSpec: [vmGroup('web', [1, 2]), hostGroup('left', [1])],
    rulesSpec: [add(together('a', [1, 2])), add(apart('b', [2, 3]))],
    drsVmConfigSpec: [
      make('ClusterDrsVmConfigSpec', { operation: 'add', info: make('ClusterDrsVmConfigInfo', { key: vm(1) }) }),
    ],
  });
  assert.equal(leaveCluster(cluster.config, vm(7)), cluster.config);
  const left = leaveCluster(leaveCluster(cluster.config, vm(1)), vm(2));
  assert.deepEqual(
    left.rule?.map(({ name }) => name),
    ['b'],
  );
  assert.deepEqual(left.drsVmConfig, []);
  assert.deepEqual({ ...left.group?.[0] }, { ...cluster.config.group?.[0], vm: [] });
  assert.equal(left.group?.[1], cluster.config.group?.[1]);
});

test('whatever is applied, or refused: names are unique, keys grow, and enabled rules between VMs can all hold at once', () => {
  const ids = fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 });
  const step = fc.record({
    kind: fc.constantFrom('together', 'apart'),
    operation: fc.constantFrom('add', 'edit'),
    name: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    ids,
    enabled: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const cluster = newCluster();
      for (const { kind, operation, name, ids: members, enabled } of steps) {
        const before = structuredClone(cluster.config);
        const info = (kind === 'together' ? together : apart)(name, members, enabled);
        try {
          cluster.apply({ rulesSpec: [operation === 'add' ? add(info) : edit(info)] });
        } catch (error) {
          assert.ok(isFault(error, 'InvalidArgument') || isFault(error, 'DuplicateName'));
          assert.deepEqual(cluster.config, before);
        }
      }
      const rules = cluster.config.rule ?? [];
      assert.equal(new Set(rules.map(({ name }) => name)).size, rules.length);
      assert.deepEqual(
        rules.map(({ key }) => key),
        [...new Set(rules.map(({ key }) => key))].sort((a, b) => Number(a) - Number(b)),
      );
      assert.ok(canAllHold(rules.filter(({ enabled }) => enabled === true)));
    }),
  );
});

/** Brute force: some placement of VMs 1 to 6 on six hosts satisfies all rules. */
function canAllHold(rules: readonly ClusterRuleInfo[], placed: readonly number[] = []): boolean {
  const holds = rules.every((rule) => {
    const vms = (rule as ReturnType<typeof together>).vm
      .map(({ value }) => Number(value.slice(3)))
      .filter((id) => id <= placed.length);
    const hosts = new Set(vms.map((id) => placed[id - 1]));
    return rule._typeName === 'ClusterAffinityRuleSpec' ? hosts.size <= 1 : hosts.size === vms.length;
  });
  if (!holds || placed.length === 6) return holds;
  const used = Math.max(0, ...placed);
  return Array.from({ length: Math.min(used + 1, 6) }, (_, index) => index + 1).some((next) =>
    canAllHold(rules, [...placed, next]),
  );
}
