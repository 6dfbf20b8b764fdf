import assert from 'node:assert/strict';
import { test } from 'node:test';
import { make, moRef } from '@vivarium/vim';
import { defaultClusterConfig } from '../cluster-config/default-cluster-config.ts';
import { withRuleStatus } from './rule-status.ts';

const vm = (id: number) => moRef('VirtualMachine', `vm-${id}`);
const host = (id: number) => moRef('HostSystem', `host-${id}`);

const config = {
  ...defaultClusterConfig(),
  group: [
    make('ClusterVmGroup', { name: 'web', vm: [vm(1), vm(2)] }),
    make('ClusterHostGroup', { name: 'left', host: [host(1)] }),
  ],
  rule: [
    make('ClusterAffinityRuleSpec', { key: 1, enabled: true, vm: [vm(1), vm(2)] }),
    make('ClusterAntiAffinityRuleSpec', { key: 2, enabled: true, vm: [vm(2), vm(3)] }),
    make('ClusterVmHostRuleInfo', { key: 3, enabled: true, vmGroupName: 'web', affineHostGroupName: 'left' }),
    make('ClusterVmHostRuleInfo', { key: 4, enabled: true, vmGroupName: 'web', antiAffineHostGroupName: 'left' }),
    make('ClusterAffinityRuleSpec', { key: 5, enabled: false, vm: [vm(1), vm(3)] }),
  ],
};

function status(places: Readonly<Record<string, number>>): (string | undefined)[] {
  const hostOf = ({ value }: { value: string }) => (places[value] === undefined ? undefined : host(places[value]));
  return (withRuleStatus(config, hostOf).rule ?? []).map((rule) => rule.status);
}

test('a rule is red where its running VMs break it, and VMs that are off break nothing', () => {
  assert.deepEqual(status({ 'vm-1': 1, 'vm-2': 1, 'vm-3': 2 }), ['green', 'green', 'green', 'red', 'green']);
  assert.deepEqual(status({ 'vm-1': 1, 'vm-2': 2, 'vm-3': 2 }), ['red', 'red', 'red', 'red', 'green']);
  assert.deepEqual(status({ 'vm-2': 2 }), ['green', 'green', 'red', 'green', 'green']);
  assert.deepEqual(status({}), ['green', 'green', 'green', 'green', 'green']);
});

test('a configuration whose rules keep their status stays the same object', () => {
  const known = withRuleStatus(config, () => undefined);
  assert.equal(
    withRuleStatus(known, () => undefined),
    known,
  );
});
