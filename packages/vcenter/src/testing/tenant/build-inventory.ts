// For tests: a random inventory of two datacenters with everything that vCenter has.
import { normalPoolAllocation } from '@vivarium/drs/resource-pool';
import { type ManagedTypeName, type MoRef, make, moRef } from '@vivarium/vim';
import type { Draw } from '@vivarium/vmomi/testing/tenant';
import { ROOT_FOLDER } from '../../folder/create-entity.ts';
import { FakeHost } from '../fake-host.ts';
import type { TestCenter } from '../test-center.ts';

export async function buildInventory(center: TestCenter, draw: Draw): Promise<FakeHost[]> {
  const { service } = center;
  const hosts: FakeHost[] = [];
  const folderIn = async (parents: MoRef[], name: string) =>
    parents.push(await center.invoke<MoRef>(draw.pick(parents), 'CreateFolder', { name }));
  const newHost = (datacenter: string) => {
    const address = `esx${hosts.length}.${datacenter}`;
    const datastores = {
      datastore1: `ds:///vmfs/volumes/${address}/`,
      shared: `ds:///vmfs/volumes/shared-${datacenter}/`,
    };
    const host = new FakeHost(address, { datastores });
    hosts.push(host);
    center.dialer.add(host);
    const spec = { hostName: address, userName: 'root', password: 'right', force: false };
    return { host, spec };
  };
  const top: MoRef[] = [ROOT_FOLDER as MoRef];
  await folderIn(top, 'site');
  for (const dc of ['DC0', 'DC1']) {
    const datacenter = await center.invoke<MoRef>(draw.pick(top), 'CreateDatacenter', { name: dc });
    const folders = (['vm', 'host', 'datastore', 'network'] as const).map(
      (kind) => [center.read<MoRef>(datacenter, `${kind}Folder`)] as MoRef[],
    );
    for (const [index, kind] of folders.entries()) {
      for (let count = 1 + draw.below(3); count > 0; count--) await folderIn(kind, `${dc}-f${index}${count}`);
    }
    const [vmFolders = [], hostFolders = [], datastoreFolders = [], networkFolders = []] = folders;
    const pools: MoRef[] = [];
    const makePools = async (root: MoRef) => {
      const own = [root];
      for (let count = draw.below(3); count > 0; count--) {
        own.push(await center.invoke(draw.pick(own), 'CreateResourcePool', { name: `p${count}`, spec: poolSpec() }));
      }
      pools.push(...own);
    };
    for (const cluster of dc === 'DC0' ? ['C0', 'C1'] : ['C0']) {
      const spec = { _typeName: 'ClusterConfigSpecEx' };
      const ref = await center.invoke<MoRef>(draw.pick(hostFolders), 'CreateClusterEx', {
        name: `${dc}${cluster}`,
        spec,
      });
      for (let count = 1 + draw.below(2); count > 0; count--) {
        await center.task(ref, 'AddHost_Task', { spec: newHost(dc).spec, asConnected: true });
      }
      await makePools(center.read(ref, 'resourcePool'));
    }
    const alone = { spec: newHost(dc).spec, addConnected: true };
    const { value } = await center.task<MoRef>(draw.pick(hostFolders), 'AddStandaloneHost_Task', alone);
    const alonePool = center.read<MoRef>(moRef('ComputeResource', value) as MoRef, 'resourcePool');
    await makePools(alonePool);
    const app = await center.invoke<MoRef>(alonePool, 'CreateVApp', {
      name: `${dc}-app`,
      resSpec: poolSpec(),
      configSpec: make('VAppConfigSpec', {}),
      vmFolder: draw.pick(vmFolders),
    });
    await center.task(app, 'CreateChildVM_Task', { config: vmSpec(`${dc}-app-vm`) });
    for (let count = 0; count < 6; count++) {
      const config = vmSpec(`${dc}-vm${count}`);
      const pool = draw.pick(pools);
      const vm = await center.task<MoRef>(draw.pick(vmFolders), 'CreateVM_Task', { config, pool });
      if (draw.below(2) === 0) await center.task(moRef('VirtualMachine', vm.value) as MoRef, 'PowerOnVM_Task');
    }
    const configSpec = make('VMwareDVSConfigSpec', { name: `${dc}-dvs` });
    const dvs = await center.task<MoRef>(draw.pick(networkFolders), 'CreateDVS_Task', {
      spec: make('DVSCreateSpec', { configSpec }),
    });
    const spec = make('DVPortgroupConfigSpec', { name: `${dc}-pg`, numPorts: 4 });
    await center.task(moRef('VmwareDistributedVirtualSwitch', dvs.value) as MoRef, 'CreateDVPortgroup_Task', { spec });
    const within = (type: ManagedTypeName) =>
      [...service.graph.ofType(type)].filter((object) => isBelow(center, object.ref as MoRef, datacenter));
    for (const { ref } of within('Datastore')) {
      await moveInto(center, draw.pick(datastoreFolders), ref as MoRef);
    }
    for (const { ref } of within('Network')) await moveInto(center, draw.pick(networkFolders), ref as MoRef);
  }
  return hosts;
}

function poolSpec() {
  return make('ResourceConfigSpec', {
    cpuAllocation: normalPoolAllocation('cpu'),
    memoryAllocation: normalPoolAllocation('memory'),
  });
}

function vmSpec(name: string) {
  const files = make('VirtualMachineFileInfo', { vmPathName: '[shared]' });
  return make('VirtualMachineConfigSpec', { name, guestId: 'otherGuest', files });
}

async function moveInto(center: TestCenter, folder: MoRef, ref: MoRef): Promise<void> {
  if (center.read<MoRef>(ref, 'parent').value === folder.value) return;
  await center.task(folder, 'MoveIntoFolder_Task', { list: [ref] });
}

function isBelow(center: TestCenter, ref: MoRef, above: MoRef): boolean {
  for (let at: MoRef | undefined = ref; at; at = center.service.graph.find(at)?.parent) {
    if (at.value === above.value) return true;
  }
  return false;
}

/** An import of the administrator's that goes on and on. */
export async function beginImport(center: TestCenter): Promise<MoRef> {
  const [pool] = [...center.service.graph.ofType('ResourcePool')];
  if (!pool) throw new Error('there is no pool');
  const configSpec = vmSpec('imported');
  const spec = make('VirtualMachineImportSpec', { configSpec });
  const lease = await center.invoke<MoRef>(pool.ref as MoRef, 'ImportVApp', { spec });
  await center.until(lease, 'state', 'ready');
  return lease;
}
