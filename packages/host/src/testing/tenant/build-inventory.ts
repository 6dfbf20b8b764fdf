// For tests: a host with datastores, networks, resource pools and VMs, some of which run; at random.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { normalPoolAllocation } from '@vivarium/drs/resource-pool';
import { type MoRef, make, moRef } from '@vivarium/vim';
import type { LocalUser } from '@vivarium/vmomi';
import type { Draw } from '@vivarium/vmomi/testing/tenant';
import { refs } from '../../inventory/refs.ts';
import { NETWORK_SYSTEM } from '../../network-system/publish-network.ts';
import { vmSpec } from '../test-host.ts';
import { until } from '../virtual-clock.ts';

const DATASTORES = ['datastore1', 'shared', 'spare'];
const NETWORKS = ['VM Network', 'red', 'blue'];
const DATASTORE_SYSTEM = moRef('HostDatastoreSystem', 'ha-datastoresystem') as MoRef;
const MOST_POOLS = 5;
const VMS = 8;

/** `directory`: where datastores may be. */
export async function buildInventory(root: LocalUser, draw: Draw, directory: string): Promise<void> {
  for (const name of DATASTORES.slice(1)) {
    const path = join(directory, name);
    await mkdir(path);
    await root.invoke(DATASTORE_SYSTEM, 'CreateLocalDatastore', { name, path });
  }
  for (const name of NETWORKS.slice(1)) {
    const policy = make('HostNetworkPolicy', {});
    const portgrp = make('HostPortGroupSpec', { name, vlanId: 0, vswitchName: 'vSwitch0', policy });
    await root.invoke(NETWORK_SYSTEM as MoRef, 'AddPortGroup', { portgrp });
  }
  const pools: MoRef[] = [refs.resourcePool as MoRef];
  for (let count = 1 + draw.below(MOST_POOLS); count > 0; count--) {
    pools.push(await root.invoke(draw.pick(pools), 'CreateResourcePool', { name: `p${count}`, spec: poolSpec() }));
  }
  for (let count = 0; count < VMS; count++) {
    const vm = await root.run<MoRef>(refs.vmFolder as MoRef, 'CreateVM_Task', {
      config: { ...vmSpec(`tenant-vm${count}`), ...placedOn(draw) },
      pool: draw.pick(pools),
    });
    if (draw.below(2) === 0) await root.run(vm, 'PowerOnVM_Task');
  }
}

function placedOn(draw: Draw) {
  const files = make('VirtualMachineFileInfo', { vmPathName: `[${draw.pick(DATASTORES)}]` });
  const nic = make('VirtualDeviceConfigSpec', {
    operation: 'add',
    device: make('VirtualVmxnet3', {
      key: -1,
      backing: make('VirtualEthernetCardNetworkBackingInfo', { deviceName: draw.pick(NETWORKS) }),
    }),
  });
  return draw.below(2) === 0 ? { files } : { files, deviceChange: [nic] };
}

function poolSpec() {
  return make('ResourceConfigSpec', {
    cpuAllocation: normalPoolAllocation('cpu'),
    memoryAllocation: normalPoolAllocation('memory'),
  });
}

/** An import of the administrator's that goes on and on. */
export async function beginImport(root: LocalUser): Promise<MoRef> {
  const configSpec = make('VirtualMachineConfigSpec', { ...vmSpec('tenant-import') });
  const spec = make('VirtualMachineImportSpec', { configSpec });
  const lease = await root.invoke<MoRef>(refs.resourcePool as MoRef, 'ImportVApp', { spec });
  const { graph } = root.call.service;
  await until('the import begins', () => graph.get(lease).getPath('state') === 'ready');
  return lease;
}
