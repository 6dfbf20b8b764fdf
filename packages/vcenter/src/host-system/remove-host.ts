// Takes a host out of the inventory, with its VMs. On the host nothing changes but that it belongs to this vCenter no more. A standalone
// host's compute resource goes too.
import { MethodFault, type MoRef, make, moRef } from '@vivarium/vim';
import type { Center } from '../center.ts';
import { withoutMember } from '../distributed-switch/change-switch.ts';
import type { HostLink } from '../host-link/host-link.ts';
import type { EntityRecord, EntityRef } from '../inventory/entity-records.ts';
import type { InventoryStep } from '../inventory/inventory.ts';

/** As vCenter: a host leaves a cluster in maintenance mode, or when it is not connected anyway. Fault: InvalidState. */
export function requireRemovable({ inventory, hosts, service }: Center, host: MoRef<'HostSystem'>): void {
  const { parent, inMaintenanceMode } = inventory.get(host);
  if (parent.type !== 'ClusterComputeResource' || inMaintenanceMode || !hosts.isConnected(host)) return;
  if (service.graph.find(host)?.get('runtime')?.inMaintenanceMode !== true) throw new MethodFault('InvalidState');
}

export function removeHost(center: Center, host: MoRef<'HostSystem'>): Promise<void> {
  if (!center.inventory.find(host)) return Promise.resolve();
  return center.hosts.open(host).alone(() => remove(center, host));
}

async function remove(center: Center, host: MoRef<'HostSystem'>): Promise<void> {
  const { inventory, hosts, vms, service } = center;
  const record = inventory.find(host);
  if (!record) return;
  const argument = make('HostEventArgument', { name: record.name, host });
  const isFollowed = hosts.open(host).state !== 'disconnected';
  await using undo = new AsyncDisposableStack();
  // Whom an administrator has disconnected is asked too; who does not answer anyway is not waited for.
  const isThere = hosts.isConnected(host) || record.isDisconnected;
  if (hosts.isConnected(host)) await releaseHost(center, hosts.connected(host).link);
  const session = await hosts.drop(host);
  // It claims the host again.
  undo.defer(() => (isFollowed ? hosts.open(host).connect() : undefined));
  await center.switches.exclusively(() =>
    inventory.exclusively(async () => {
      const gone = session?.mirror.withdraw() ?? [];
      const isStandalone = record.parent.type === 'ComputeResource';
      const owner = isStandalone ? [...belowOwner(center, record.parent), record.parent as EntityRef] : [];
      const shared = gone.filter((ref) => inventory.find(ref as MoRef<'Network'>));
      await inventory.applySteps([
        ...leaveSwitches(center, host),
        ...vms.onHost(host).map(([remove]) => ({ ops: [{ remove }] })),
        { ops: [...shared, host, ...owner].map((remove) => ({ remove })) },
      ]);
    }),
  );
  undo.move();
  if (isThere) await part(center, record);
  center.switches.forget(host);
  service.events.post({ _typeName: 'HostRemovedEvent', host: argument });
}

/** Others may manage it now. A host that does not hear of it has to be forced by the next vCenter. */
export async function releaseHost({ service, log }: Center, link: Pick<HostLink, 'call'>): Promise<void> {
  const { instanceUuid = '' } = service.content.about;
  try {
    await link.call(moRef('HostSystem', 'ha-host'), 'ReleaseManagement', { instanceUuid });
  } catch (error) {
    log.warn({ err: error }, 'a host was not told that it is no longer managed');
  }
}

/** vCenter's authority comes out of the host's list: nobody who has a certificate of it gets in any more. */
async function part({ dialer, log }: Center, { address, port, thumbprint }: EntityRecord<'HostSystem'>): Promise<void> {
  try {
    await dialer.part({ address, port, thumbprint });
  } catch (error) {
    log.warn({ host: address, err: error }, 'a host that was removed still trusts this vCenter');
  }
}

/** Its distributed switches no longer name it. */
function leaveSwitches({ inventory }: Center, host: MoRef<'HostSystem'>): InventoryStep[] {
  const switches = [...inventory.ofType('VmwareDistributedVirtualSwitch')];
  return switches.map(([dvs]) => ({ ops: withoutMember(inventory, dvs, host) }));
}

/** Its pools and vApps, children first; what runs in them goes with its host. */
export function belowOwner({ inventory }: Center, owner: MoRef): EntityRef[] {
  return inventory
    .children(owner)
    .filter(({ type }) => type !== 'HostSystem' && type !== 'VirtualMachine')
    .flatMap((ref) => [...belowOwner({ inventory } as Center, ref as MoRef), ref]);
}
