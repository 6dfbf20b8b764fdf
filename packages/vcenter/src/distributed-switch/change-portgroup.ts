// Makes, changes and removes the port groups of a distributed switch, in the order of change-switch.ts.
// Source: vSphere Web Services API, DistributedVirtualSwitch.AddDVPortgroup_Task, DistributedVirtualPortgroup.
import { type DVPortgroupConfigSpec, MethodFault, type MoRef } from '@vivarium/vim';
import type { Call } from '@vivarium/vmomi';
import type { Center } from '../center.ts';
import { checkName } from '../inventory/entity-name.ts';
import type { EntityRecord } from '../inventory/entity-records.ts';
import type { InventoryOp } from '../inventory/inventory.ts';
import { nextVersion } from './change-switch.ts';
import { newPortgroup, noResourcePool, portgroupType, withPorts } from './new-switch.ts';
import { changeSettings } from './port-settings.ts';
import { portgroupEvent } from './switch-events.ts';
import { requireUnused } from './switch-users.ts';

/** Faults: DuplicateName, InvalidName, InvalidArgument, NotSupported, those of the hosts. */
export function addPortgroups(
  center: Center,
  dvs: MoRef<'VmwareDistributedVirtualSwitch'>,
  specs: readonly DVPortgroupConfigSpec[],
  call: Call | undefined,
): Promise<MoRef<'DistributedVirtualPortgroup'>[]> {
  const { inventory } = center;
  return center.switches.exclusively(async () => {
    const former = inventory.get(dvs);
    const made = await inventory.exclusively(async () => {
      let record = former;
      const added: {
        readonly put: MoRef<'DistributedVirtualPortgroup'>;
        readonly record: EntityRecord<'DistributedVirtualPortgroup'>;
      }[] = [];
      for (const spec of specs) {
        const name = checkName(spec.name ?? '');
        inventory.requireFreeName(former.parent, name);
        if (added.some((one) => one.record.name === name)) {
          throw new MethodFault('DuplicateName', { name, object: dvs });
        }
        const { ref, record: portgroup, owner } = newPortgroup(inventory, dvs, record, name, spec);
        added.push({ put: ref, record: portgroup });
        record = owner;
      }
      requirePorts(
        center,
        former,
        added.reduce((sum, { record: { portKeys } }) => sum + portKeys.length, 0),
      );
      await inventory.apply([{ put: dvs, record: bumped(record) }, ...added]);
      return added.map(({ put }) => put);
    });
    const back = [...made.map((remove): InventoryOp => ({ remove })), { put: dvs, record: former } as const];
    await realize(center, dvs, back);
    if (call) for (const ref of made) portgroupEvent(center, ref, { kind: 'DVPortgroupCreatedEvent' }, call);
    return made;
  });
}

/** Faults: ConcurrentAccess, DuplicateName, InvalidName, ResourceInUse (fewer ports than VMs use), those of the hosts. */
export function reconfigurePortgroup(
  center: Center,
  ref: MoRef<'DistributedVirtualPortgroup'>,
  spec: DVPortgroupConfigSpec,
  call: Call,
): Promise<void> {
  const { inventory, lists } = center;
  return center.switches.exclusively(async () => {
    const former = inventory.get(ref);
    const owner = inventory.get(former.dvs);
    if (spec.configVersion && spec.configVersion !== former.config.configVersion) {
      throw new MethodFault('ConcurrentAccess');
    }
    const name = spec.name === undefined ? former.name : checkName(spec.name);
    const { description, portNameFormat, autoExpand, policy } = spec;
    noResourcePool(spec.vmVnicNetworkResourcePoolKey);
    const type = spec.type === undefined ? former.config.type : portgroupType(spec.type);
    const used = lists.members(ref, 'vm').length;
    const wanted = type === 'ephemeral' ? 0 : (spec.numPorts ?? former.portKeys.length);
    if (type !== 'ephemeral' && spec.numPorts !== undefined && wanted < used) {
      throw new MethodFault('ResourceInUse', { type: 'DistributedVirtualPortgroup', name });
    }
    if (former.config.uplink && spec.numPorts !== undefined && wanted !== former.portKeys.length) {
      throw new MethodFault('InvalidArgument', { invalidProperty: 'spec.numPorts' });
    }
    const set = Object.fromEntries(
      Object.entries({ description, portNameFormat, autoExpand, policy }).filter(([, value]) => value !== undefined),
    );
    const changed = {
      ...former,
      name,
      config: {
        ...former.config,
        ...set,
        type,
        defaultPortConfig: changeSettings(former.config.defaultPortConfig ?? {}, spec.defaultPortConfig),
        configVersion: nextVersion(former.config.configVersion),
      },
    };
    const sized = withPorts(changed, owner, wanted);
    if (!former.config.uplink) requirePorts(center, owner, wanted - former.portKeys.length);
    await inventory.exclusively(async () => {
      inventory.requireFreeName(former.parent, name, ref);
      await inventory.apply([
        { put: ref, record: sized.portgroup },
        { put: former.dvs, record: sized.owner },
      ]);
    });
    if (spec.defaultPortConfig && !former.config.uplink) {
      await realize(center, former.dvs, [
        { put: ref, record: former },
        { put: former.dvs, record: owner },
      ]);
    }
    portgroupEvent(center, ref, { kind: 'DVPortgroupReconfiguredEvent', configSpec: spec }, call);
    if (name !== former.name) {
      portgroupEvent(center, ref, { kind: 'DVPortgroupRenamedEvent', oldName: former.name, newName: name }, call);
    }
  });
}

/** Faults: ResourceInUse while VMs are on it, and for the uplinks' port group. */
export function destroyPortgroup(center: Center, ref: MoRef<'DistributedVirtualPortgroup'>, call: Call): Promise<void> {
  const { inventory, switches, shared } = center;
  return switches.exclusively(async () => {
    const { name, dvs, config } = inventory.get(ref);
    if (config.uplink) throw new MethodFault('ResourceInUse', { type: 'DistributedVirtualPortgroup', name });
    requireUnused(center, [ref], 'DistributedVirtualPortgroup', name);
    const hosts = membersOf(center, dvs);
    try {
      await switches.apply(hosts, ref);
    } catch (error) {
      await switches.apply(hosts).catch(() => undefined);
      throw error;
    }
    portgroupEvent(center, ref, { kind: 'DVPortgroupDestroyedEvent' }, call);
    shared.forget(ref);
    await inventory.exclusively(async () => {
      const owner = inventory.get(dvs);
      const portgroups = owner.portgroups.filter(({ value }) => value !== ref.value);
      await inventory.apply([{ remove: ref }, { put: dvs, record: bumped({ ...owner, portgroups }) }]);
    });
  });
}

/** Fault: LimitExceeded, when a switch would have more ports than it may. */
function requirePorts(
  { inventory }: Center,
  { portgroups, config: { maxPorts } }: EntityRecord<'VmwareDistributedVirtualSwitch'>,
  more: number,
): void {
  const had = portgroups.reduce((sum, ref) => sum + (inventory.find(ref)?.portKeys.length ?? 0), 0);
  if (more > 0 && had + more > maxPorts)
    throw new MethodFault('LimitExceeded', { property: 'numPorts', limit: maxPorts });
}

/** The hosts do what the inventory says; when one refuses, `back` is applied and they undo it. */
async function realize(
  center: Center,
  dvs: MoRef<'VmwareDistributedVirtualSwitch'>,
  back: readonly InventoryOp[],
): Promise<void> {
  const { inventory, switches } = center;
  const hosts = membersOf(center, dvs);
  try {
    await switches.apply(hosts);
  } catch (error) {
    await inventory.exclusively(() => inventory.apply(back));
    await switches.apply(hosts).catch((failed: unknown) => {
      center.log.warn({ dvs: dvs.value, err: failed }, 'a host keeps what a distributed switch has taken back');
    });
    throw error;
  }
}

function membersOf({ inventory }: Center, dvs: MoRef<'VmwareDistributedVirtualSwitch'>): MoRef<'HostSystem'>[] {
  return inventory.get(dvs).members.map(({ host }) => host);
}

function bumped(
  record: EntityRecord<'VmwareDistributedVirtualSwitch'>,
): EntityRecord<'VmwareDistributedVirtualSwitch'> {
  return { ...record, config: { ...record.config, configVersion: nextVersion(record.config.configVersion) } };
}
