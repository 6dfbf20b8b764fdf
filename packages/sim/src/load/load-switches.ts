// Distributed switches and their port groups: as far as ours have what theirs were set to.
import { uuid } from '@vivarium/base';
import { switchUuid } from '@vivarium/vcenter';
import {
  type DVPortgroupConfigSpec,
  type DVPortSetting,
  type DVSCreateSpec,
  isA,
  make,
  type Told,
} from '@vivarium/vim';
import type { LoadedHost } from './load-hosts.ts';
import { datacenterOf, type Loading, nameOf, nodesOf, refOf } from './loading.ts';
import { told, wrong } from './saved-object.ts';
import type { TreeNode } from './saved-tree.ts';

const UUID = /^[0-9a-f]{2}(?: [0-9a-f]{2}){7}-[0-9a-f]{2}(?: [0-9a-f]{2}){7}$/;
const UPLINKS = /DVUplinks/i;
const SWITCHES = ['DistributedVirtualSwitch', 'VmwareDistributedVirtualSwitch'] as const;
/** What a port group is set to is looked at one by one: what ours have not, stays away. */
const SETTINGS = ['vlan', 'securityPolicy', 'uplinkTeamingPolicy'] as const;

/** What hosts call the port groups, by the key that the saved inventory knows them by. */
export type HostNames = ReadonlyMap<string, string>;

/** Throws FlagError. */
export async function loadSwitches(loading: Loading, hosts: readonly LoadedHost[]): Promise<HostNames> {
  const names = new Map<string, string>();
  const portgroups = nodesOf(loading, 'DistributedVirtualPortgroup');
  for (const node of nodesOf(loading, ...SWITCHES)) {
    const own = portgroups.filter(
      ({ object }) =>
        loading.tree.find(told(object, 'DistributedVirtualPortgroup', 'config')?.distributedVirtualSwitch) === node,
    );
    await loadSwitch(loading, node, own, hosts, names);
  }
  const orphan = portgroups.find(
    ({ object }) => !isNodeOf(loading, told(object, 'DistributedVirtualPortgroup', 'config')),
  );
  if (orphan) throw wrong(orphan.object, 'its distributed switch is in no file');
  return names;
}

function isNodeOf(
  { tree }: Loading,
  config: Told<{ distributedVirtualSwitch?: { type: string; value: string } }> | undefined,
): boolean {
  return (
    tree.find(config?.distributedVirtualSwitch as never)?.object.ref.type.endsWith('DistributedVirtualSwitch') ?? false
  );
}

async function loadSwitch(
  loading: Loading,
  node: TreeNode,
  portgroups: readonly TreeNode[],
  hosts: readonly LoadedHost[],
  names: Map<string, string>,
): Promise<void> {
  const { records, random, tree } = loading;
  const { object, parent } = node;
  const config = told(object, 'VmwareDistributedVirtualSwitch', 'config');
  const uplinks = (config?.uplinkPortgroup ?? []).map((ref) => tree.find(ref));
  const isUplink = (one: TreeNode) =>
    uplinks.includes(one) ||
    told(one.object, 'DistributedVirtualPortgroup', 'config')?.uplink === true ||
    UPLINKS.test(nameOf(one));
  const uplink = portgroups.find(isUplink);
  const others = portgroups.filter((one) => one !== uplink && !isUplink(one));
  const said = (told(object, 'VmwareDistributedVirtualSwitch', 'uuid') ?? config?.uuid ?? '').toLowerCase();
  const ref = refOf(node, 'VmwareDistributedVirtualSwitch');
  const { hostNames } = await records.distributedSwitch({
    ref,
    folder: refOf(parent as TreeNode, 'Folder'),
    datacenter: refOf(datacenterOf(loading, node), 'Datacenter'),
    name: nameOf(node),
    uuid: UUID.test(said) ? said : switchUuid(/^[0-9a-f-]{36}$/.test(said) ? said : uuid(random)),
    spec: switchSpec(config),
    uplink: uplink
      ? { ref: refOf(uplink, 'DistributedVirtualPortgroup'), name: nameOf(uplink) }
      : { ref: tree.newRef('DistributedVirtualPortgroup'), name: undefined },
    portgroups: others.map((one) => ({
      ref: refOf(one, 'DistributedVirtualPortgroup'),
      name: nameOf(one),
      spec: portgroupSpec(loading, one),
    })),
  });
  for (const [index, one] of others.entries()) {
    names.set(told(one.object, 'DistributedVirtualPortgroup', 'key') ?? one.object.ref.value, hostNames[index] ?? '');
  }
  const members = membersOf(loading, node, portgroups, hosts);
  const steps = await records.join(
    ref,
    members.map((one) => refOf(one.node, 'HostSystem')),
  );
  for (const { host } of members) for (const { method, args } of steps) host.changeNetwork(method, { ...args });
}

/** Who says so, and who has one of its port groups. */
function membersOf(
  { tree }: Loading,
  node: TreeNode,
  portgroups: readonly TreeNode[],
  hosts: readonly LoadedHost[],
): LoadedHost[] {
  const said = [
    ...(told(node.object, 'VmwareDistributedVirtualSwitch', 'summary')?.hostMember ?? []),
    ...(told(node.object, 'VmwareDistributedVirtualSwitch', 'config')?.host ?? []).map(({ config }) => config?.host),
  ];
  const nodes = new Set(said.map((ref) => tree.find(ref)));
  return hosts.filter(
    (one) =>
      nodes.has(one.node) ||
      (told(one.node.object, 'HostSystem', 'network') ?? []).some((ref) => isOneOf(tree.find(ref), portgroups)),
  );
}

function isOneOf(node: TreeNode | undefined, nodes: readonly TreeNode[]): boolean {
  return node !== undefined && nodes.includes(node);
}

function switchSpec(config: Told<{ description?: string; uplinkPortPolicy?: object }> | undefined): DVSCreateSpec {
  const policy = config?.uplinkPortPolicy;
  const named = isA('DVSNameArrayUplinkPortPolicy', policy) ? policy.uplinkPortName : [];
  const uplinkPortPolicy =
    named && named.length > 0 && named.length <= 32 && named.every((name) => name.trim() !== '')
      ? make('DVSNameArrayUplinkPortPolicy', { uplinkPortName: [...named] })
      : undefined;
  const description = config?.description;
  return make('DVSCreateSpec', { configSpec: make('VMwareDVSConfigSpec', { description, uplinkPortPolicy }) });
}

function portgroupSpec({ records, leftOut }: Loading, { object }: TreeNode): DVPortgroupConfigSpec {
  const { type, numPorts, description, defaultPortConfig } =
    told(object, 'DistributedVirtualPortgroup', 'config') ?? {};
  const said = (defaultPortConfig ?? {}) as Readonly<Record<string, { readonly inherited?: boolean } | undefined>>;
  const settings: Record<string, unknown> = {};
  for (const name of SETTINGS) {
    const value = said[name];
    if (!value || value.inherited) continue;
    const one = make('VMwareDVSPortSetting', { [name]: value } as never);
    if (leftOut.try(`${name} of port groups`, () => records.checkPortSettings(one))) settings[name] = value;
  }
  return make('DVPortgroupConfigSpec', {
    type: type === 'ephemeral' ? 'ephemeral' : 'earlyBinding',
    numPorts: Math.min(Math.max(0, numPorts ?? 8), 8192),
    description,
    defaultPortConfig: make('VMwareDVSPortSetting', settings as never) as DVPortSetting,
  });
}
