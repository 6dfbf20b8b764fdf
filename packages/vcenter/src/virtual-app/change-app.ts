// Makes, changes and unregisters vApps in the inventory. Source: vSphere Web Services API, ResourcePool.CreateVApp, VirtualApp.
import { findNewPoolFault, newPoolAllocation } from '@vivarium/drs/resource-pool';
import { MethodFault, type MoRef, type ResourceConfigSpec, type VAppConfigSpec } from '@vivarium/vim';
import { type Call, descriptionIdOf } from '@vivarium/vmomi';
import type { Center } from '../center.ts';
import { checkName } from '../inventory/entity-name.ts';
import { requireDepth, stamped } from '../resource-pool/change-pools.ts';
import { settingsOf } from '../resource-pool/compute-pools.ts';
import { isApp, isPool } from '../resource-pool/pool-ref.ts';
import { whenShown } from '../routing/when-shown.ts';
import { vmsWithin } from './run-app.ts';
import { changedVAppConfig, newVAppConfig } from './vapp-config.ts';

type Pool = MoRef<'ResourcePool'>;
type App = MoRef<'VirtualApp'>;

export interface NewApp {
  readonly name: string;
  readonly resSpec: ResourceConfigSpec;
  readonly configSpec: VAppConfigSpec;
  /** Default: the datacenter's. Must be left out in another vApp. */
  readonly vmFolder?: MoRef<'Folder'> | undefined;
}

/** Faults: InvalidName, DuplicateName, InvalidArgument, InvalidState for a cluster without DRS, InsufficientResourcesFault. */
export function createApp(center: Center, parent: Pool, { name, resSpec, configSpec, vmFolder }: NewApp): Promise<App> {
  const { inventory, pools } = center;
  return inventory.exclusively(async () => {
    const checked = checkName(name);
    requireDrs(center, parent);
    requireDepth(center, parent);
    const folder = folderFor(center, parent, vmFolder);
    inventory.requireFreeName(parent, checked);
    if (folder) inventory.requireFreeName(folder, checked);
    const ref = inventory.newRef('VirtualApp');
    const config = stamped(center, ref as Pool, {
      cpuAllocation: newPoolAllocation('cpu', resSpec.cpuAllocation),
      memoryAllocation: newPoolAllocation('memory', resSpec.memoryAllocation),
    });
    const fault = findNewPoolFault(pools.treeOf(parent), parent.value, settingsOf(config));
    if (fault) throw fault;
    const { owner } = inventory.get<'ResourcePool'>(parent);
    const vAppConfig = newVAppConfig(configSpec, configSpec.instanceUuid ?? center.newUuid());
    const place = { parent: parent as MoRef, ...(folder ? { folder } : {}) };
    await inventory.apply([{ put: ref, record: { name: checked, owner, config, vAppConfig, ...place } }]);
    return ref;
  });
}

/** Fault: InvalidArgument. */
export function changeApp({ inventory }: Center, app: App, spec: VAppConfigSpec): Promise<void> {
  return inventory.exclusively(async () => {
    const record = inventory.get<'VirtualApp'>(app);
    const vAppConfig = changedVAppConfig(record.vAppConfig, spec);
    await inventory.apply([{ put: app, record: { ...record, vAppConfig } }]);
  });
}

/** Its VMs keep their files; pools and vApps in it are gone. `signal` ends the waiting for a host that is away. */
export async function unregisterApp(center: Center, app: App, call: Call, signal: AbortSignal): Promise<void> {
  const { inventory, service, forwarder } = center;
  for (const vm of vmsWithin(center, app)) {
    const { host } = inventory.get<'VirtualMachine'>(vm);
    const spec = { entity: vm as MoRef, descriptionId: descriptionIdOf('VirtualMachine', 'UnregisterVM'), call };
    await service.tasks.run(spec, ({ signal }) =>
      forwarder.call(vm, { host, method: 'UnregisterVM', args: {} }, signal),
    );
  }
  const isEmpty = () => vmsWithin(center, app).length === 0;
  await whenShown(center, isEmpty, signal);
  if (!isEmpty()) throw new MethodFault('HostCommunication');
  await inventory.exclusively(() => inventory.applySteps(below(center, app).map((remove) => ({ ops: [{ remove }] }))));
}

/** Children first. */
function below({ inventory }: Pick<Center, 'inventory'>, pool: Pool | App): App[] {
  const children = inventory.children(pool).filter((ref) => isPool(ref as MoRef)) as App[];
  return [...children.flatMap((child) => below({ inventory }, child)), pool as App];
}

function folderFor({ inventory }: Center, parent: Pool, vmFolder: MoRef<'Folder'> | undefined) {
  const invalid = () => new MethodFault('InvalidArgument', { invalidProperty: 'vmFolder' });
  if (isApp(parent)) {
    if (vmFolder) throw invalid();
    return undefined;
  }
  const datacenter = inventory.above(parent, 'Datacenter') as MoRef<'Datacenter'>;
  if (!vmFolder) return inventory.get<'Datacenter'>(datacenter).vmFolder;
  const isVmFolder = inventory.get<'Folder'>(vmFolder).childType.includes('VirtualApp');
  if (!isVmFolder || inventory.above(vmFolder, 'Datacenter')?.value !== datacenter.value) throw invalid();
  return vmFolder;
}

/** A cluster's pools mean something with DRS only. */
function requireDrs({ inventory }: Center, pool: Pool): void {
  const { owner } = inventory.get<'ResourcePool'>(pool);
  const cluster = inventory.find(owner as MoRef as MoRef<'ClusterComputeResource'>);
  if (cluster?.configuration && cluster.configuration.drsConfig.enabled !== true) {
    throw new MethodFault('InvalidState', {}, 'vApps need a cluster with DRS, or a host that is in no cluster');
  }
}
