// What a distributed switch and a port group are made of: the records of a new one. Pure but for the new references.
// Source: vSphere Web Services API, DVSConfigSpec, DVPortgroupConfigSpec and their defaults.
import {
  type DistributedVirtualSwitchProductSpec,
  type DVPortgroupConfigSpec,
  type DVSCreateSpec,
  isA,
  MethodFault,
  type MoRef,
  make,
  type VMwareDVSConfigSpec,
  type VMwareDVSPortSetting,
} from '@vivarium/vim';
import type { EntityRecord } from '../inventory/entity-records.ts';
import type { Inventory, InventoryOp } from '../inventory/inventory.ts';
import { changeSettings, defaultSettings, inheritSettings, uplinkSettings } from './port-settings.ts';

type SwitchRecord = EntityRecord<'VmwareDistributedVirtualSwitch'>;
type PortgroupRecord = EntityRecord<'DistributedVirtualPortgroup'>;

export const VERSIONS = ['7.0.0', '7.0.2', '7.0.3', '8.0.0', '8.0.3', '9.0.0'] as const;
const UPLINKS = ['Uplink 1', 'Uplink 2', 'Uplink 3', 'Uplink 4'];
const MOST_UPLINKS = 32;
const NO_RESOURCE_POOL = '-1';
/** vSphere's limits of a switch. */
export const MOST_PORTS = 60_000;
export const MTU = { least: 1280, most: 9190, usual: 1500 } as const;
const DEFAULT_PORTS = 8;

/** Fault: InvalidArgument, for a version that is none. */
export function productOf(asked: DistributedVirtualSwitchProductSpec | undefined): DistributedVirtualSwitchProductSpec {
  const version = asked?.version || VERSIONS.at(-1);
  if (!VERSIONS.some((one) => one === version)) {
    throw new MethodFault('InvalidArgument', { invalidProperty: 'productInfo.version' });
  }
  return make('DistributedVirtualSwitchProductSpec', {
    name: 'DVS',
    vendor: 'VMware, Inc.',
    version,
    forwardingClass: 'etherswitch',
  });
}

/** The names of the uplinks. Faults: InvalidArgument. */
export function uplinkNames(policy: VMwareDVSConfigSpec['uplinkPortPolicy']): readonly string[] | undefined {
  if (!policy) return undefined;
  const names = isA('DVSNameArrayUplinkPortPolicy', policy) ? policy.uplinkPortName : [];
  const isUsable = names.length > 0 && names.length <= MOST_UPLINKS && names.every((name) => name.trim() !== '');
  if (!isUsable) throw new MethodFault('InvalidArgument', { invalidProperty: 'uplinkPortPolicy' });
  return names;
}

/** The names of a switch's uplinks: each member has a port for each. */
export function uplinksOf({ config }: Pick<SwitchRecord, 'config'>): readonly string[] {
  return (config.uplinkPortPolicy as { uplinkPortName?: readonly string[] }).uplinkPortName ?? [];
}

export interface NewSwitch {
  readonly ref: MoRef<'VmwareDistributedVirtualSwitch'>;
  readonly uplink: MoRef<'DistributedVirtualPortgroup'>;
  readonly ops: InventoryOp[];
}

export interface NewSwitchOptions {
  readonly inventory: Pick<Inventory, 'newRef'>;
  readonly folder: MoRef<'Folder'>;
  readonly datacenter: MoRef<'Datacenter'>;
  /** Checked and escaped. */
  readonly name: string;
  readonly uuid: string;
  readonly createTime: string;
}

/** The switch with its uplink port group, and no members. */
export function newSwitch(spec: DVSCreateSpec, options: NewSwitchOptions): NewSwitch {
  const { inventory, folder, datacenter, name, uuid, createTime } = options;
  const asked = spec.configSpec as VMwareDVSConfigSpec;
  const ref = inventory.newRef('VmwareDistributedVirtualSwitch');
  const uplink = inventory.newRef('DistributedVirtualPortgroup');
  const uplinks = uplinkNames(asked.uplinkPortPolicy) ?? UPLINKS;
  const defaultPortConfig = changeSettings(defaultSettings(uplinks), asked.defaultPortConfig);
  const productInfo = productOf(spec.productInfo);
  const config = make('VMwareDVSConfigInfo', {
    uuid,
    name,
    numStandalonePorts: 0,
    numPorts: 0,
    maxPorts: MOST_PORTS,
    uplinkPortPolicy: make('DVSNameArrayUplinkPortPolicy', { uplinkPortName: [...uplinks] }),
    uplinkPortgroup: [uplink],
    defaultPortConfig,
    productInfo,
    policy: make('DVSPolicy', {
      autoPreInstallAllowed: false,
      autoUpgradeAllowed: false,
      partialUpgradeAllowed: false,
    }),
    description: asked.description,
    configVersion: '1',
    contact: make('DVSContactInfo', { ...asked.contact }),
    switchIpAddress: asked.switchIpAddress,
    createTime,
    networkResourceManagementEnabled: false,
    defaultProxySwitchMaxNumPorts: 512,
    maxMtu: MTU.usual,
    linkDiscoveryProtocolConfig: make('LinkDiscoveryProtocolConfig', { protocol: 'cdp', operation: 'listen' }),
    ipfixConfig: make('VMwareIpfixConfig', {
      activeFlowTimeout: 60,
      idleFlowTimeout: 15,
      samplingRate: 4096,
      internalFlowsOnly: false,
    }),
    lacpApiVersion: 'multipleLag',
    multicastFilteringMode: 'legacyFiltering',
    networkResourceControlVersion: 'version3',
  });
  const record: SwitchRecord = {
    name,
    parent: folder,
    datacenter,
    uuid,
    config,
    members: [],
    portgroups: [uplink],
    lastPort: 0,
  };
  const uplinkRecord: PortgroupRecord = {
    name: `${name}-DVUplinks-${ref.value.replace(/\D/g, '')}`,
    parent: folder,
    datacenter,
    dvs: ref,
    portKeys: [],
    config: make('DVPortgroupConfigInfo', {
      key: uplink.value,
      name: '',
      numPorts: 0,
      type: 'earlyBinding',
      backingType: 'standard',
      policy: defaultPolicy(),
      configVersion: '1',
      autoExpand: false,
      uplink: true,
      defaultPortConfig: uplinkSettings(defaultPortConfig),
    }),
  };
  return {
    ref,
    uplink,
    ops: [
      { put: ref, record },
      { put: uplink, record: uplinkRecord },
    ],
  };
}

/** A port group of the switch, and the switch that knows it. `name`: checked and escaped. */
export function newPortgroup(
  inventory: Pick<Inventory, 'newRef'>,
  dvs: MoRef<'VmwareDistributedVirtualSwitch'>,
  record: SwitchRecord,
  name: string,
  spec: DVPortgroupConfigSpec,
): { ref: MoRef<'DistributedVirtualPortgroup'>; record: PortgroupRecord; owner: SwitchRecord } {
  const ref = inventory.newRef('DistributedVirtualPortgroup');
  const type = portgroupType(spec.type);
  const blank: PortgroupRecord = {
    name,
    parent: record.parent,
    datacenter: record.datacenter,
    dvs,
    portKeys: [],
    config: make('DVPortgroupConfigInfo', {
      key: ref.value,
      name,
      numPorts: 0,
      type,
      backingType: 'standard',
      policy: make('VMwareDVSPortgroupPolicy', { ...defaultPolicy(), ...spec.policy }),
      portNameFormat: spec.portNameFormat,
      description: spec.description,
      configVersion: '1',
      autoExpand: type === 'earlyBinding' ? (spec.autoExpand ?? true) : false,
      uplink: false,
      vmVnicNetworkResourcePoolKey: noResourcePool(spec.vmVnicNetworkResourcePoolKey),
      defaultPortConfig: changeSettings(make('VMwareDVSPortSetting', {}), spec.defaultPortConfig),
    }),
  };
  const wanted = spec.numPorts ?? DEFAULT_PORTS;
  const { portgroup, owner } = withPorts(blank, record, type === 'ephemeral' ? 0 : wanted);
  return { ref, record: portgroup, owner: { ...owner, portgroups: [...owner.portgroups, ref] } };
}

/** The port group with this many ports: new ones get keys that no port of the switch has had. Fault: InvalidArgument. */
export function withPorts(
  portgroup: PortgroupRecord,
  owner: SwitchRecord,
  count: number,
): { portgroup: PortgroupRecord; owner: SwitchRecord } {
  if (!Number.isInteger(count) || count < 0 || count > MOST_PORTS) {
    throw new MethodFault('InvalidArgument', { invalidProperty: 'numPorts' });
  }
  const kept = portgroup.portKeys.slice(0, count);
  const added = Array.from({ length: count - kept.length }, (_, index) => owner.lastPort + index);
  return {
    portgroup: { ...portgroup, portKeys: [...kept, ...added] },
    owner: { ...owner, lastPort: owner.lastPort + added.length },
  };
}

/** Fault: InvalidArgument. Late binding went with vSphere 7. */
export function portgroupType(type: string | undefined): 'earlyBinding' | 'ephemeral' {
  if (type === undefined || type === 'earlyBinding') return 'earlyBinding';
  if (type === 'ephemeral') return type;
  throw new MethodFault('InvalidArgument', { invalidProperty: 'type' });
}

/** `-1`: in no network resource pool. Fault: NotSupported for any other. */
export function noResourcePool(key = NO_RESOURCE_POOL): string {
  if (key !== NO_RESOURCE_POOL) {
    throw new MethodFault('NotSupported', {}, 'network resource pools are not built yet in distributed switches');
  }
  return key;
}

/** As it applies: with what the switch decides. */
export function portgroupSettings(record: PortgroupRecord, owner: SwitchRecord): VMwareDVSPortSetting {
  return inheritSettings(record.config.defaultPortConfig ?? {}, owner.config.defaultPortConfig);
}

function defaultPolicy() {
  return make('VMwareDVSPortgroupPolicy', {
    blockOverrideAllowed: true,
    shapingOverrideAllowed: false,
    vendorConfigOverrideAllowed: false,
    livePortMovingAllowed: false,
    portConfigResetAtDisconnect: true,
    networkResourcePoolOverrideAllowed: false,
    trafficFilterOverrideAllowed: false,
    vlanOverrideAllowed: false,
    uplinkTeamingOverrideAllowed: false,
    securityPolicyOverrideAllowed: false,
    ipfixOverrideAllowed: false,
    macManagementOverrideAllowed: false,
  });
}
