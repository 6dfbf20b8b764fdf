// For tests: operations on folders, pools, VMs and distributed switches.
import { normalPoolAllocation } from '@vivarium/drs/resource-pool';
import { type MoRef, make } from '@vivarium/vim';
import { change, isAbout, type Kind, type Operation, put, renamed, without } from './operation.ts';
import { named, networkFolder, poolNamed } from './picture.ts';

export interface VmFacts {
  readonly folder: string | null;
  readonly pool: string;
  readonly power: string;
}

const MOST_POOLS = 6;

export const poolSpec = () =>
  make('ResourceConfigSpec', {
    cpuAllocation: normalPoolAllocation('cpu'),
    memoryAllocation: normalPoolAllocation('memory'),
  });

export const vmSpec = (name: string) =>
  make('VirtualMachineConfigSpec', {
    name,
    guestId: 'otherGuest',
    files: make('VirtualMachineFileInfo', { vmPathName: '[shared]' }),
  });

export const inventoryOperations: readonly Kind[] = [
  ({ count, one }) => createFolder(`f${count}`, one('folder') ?? ''),
  ({ count, one, all }) => createPool(`p${count}`, all('pool').length < MOST_POOLS ? (one('pool') ?? '') : ''),
  ({ count, one }) => createVm(`v${count}`, one('folder') ?? '', one('pool') ?? ''),
  ({ count, one }) => createVm(`v${count}`, one('folder') ?? '', one('pool') ?? ''),
  ({ one, fact }) => {
    const vm = one('vm');
    return vm === undefined ? undefined : power(vm, fact<VmFacts>(`vm ${vm}`).power === 'poweredOn' ? 'Off' : 'On');
  },
  ({ one, count }) => {
    const vm = one('vm');
    return vm === undefined ? undefined : rename(vm, `v${count}`);
  },
  ({ one, fact }) => {
    const vm = one('vm');
    // What is in a vApp is in no folder.
    if (vm === undefined || fact<VmFacts>(`vm ${vm}`).folder === null) return undefined;
    return move(vm, one('folder') ?? '');
  },
  ({ one, fact }) => {
    const vm = one('vm');
    if (vm === undefined || fact<VmFacts>(`vm ${vm}`).folder === null) return undefined;
    return moveToPool(vm, one('pool') ?? '');
  },
  ({ one, fact }) => {
    const vm = one('vm');
    return vm === undefined || fact<VmFacts>(`vm ${vm}`).power === 'poweredOn' ? undefined : destroyVm(vm);
  },
  ({ count }) => createSwitch(`s${count}`),
  ({ count, one }) => {
    const dvs = one('switch');
    return dvs === undefined ? undefined : createPortgroup(`g${count}`, dvs);
  },
  ({ one, all, fact }) => {
    const dvs = one('switch');
    if (dvs === undefined) return undefined;
    return destroySwitch(
      dvs,
      all('portgroup').filter((name) => fact(`portgroup ${name}`) === dvs),
    );
  },
];

function createFolder(name: string, parent: string): Operation {
  return {
    text: `create folder ${name} in '${parent}'`,
    run: ({ center }) => center.invoke(named(center, 'Folder', parent), 'CreateFolder', { name }),
    after: (before) => put(before, { [`folder ${name}`]: parent }),
  };
}

function createPool(name: string, parent: string): Operation {
  return {
    text: `create pool ${name} in '${parent}'`,
    run: ({ center }) =>
      center.invoke(named(center, 'ResourcePool', parent), 'CreateResourcePool', { name, spec: poolSpec() }),
    after: (before) => put(before, { [`pool ${name}`]: parent }),
  };
}

function createVm(name: string, folder: string, pool: string): Operation {
  return {
    text: `create ${name} in '${folder}', pool '${pool}'`,
    run: ({ center }) =>
      center.task(named(center, 'Folder', folder), 'CreateVM_Task', {
        config: vmSpec(name),
        pool: poolNamed(center, pool),
      }),
    after: (before) => put(before, { [`vm ${name}`]: { folder, pool, power: 'poweredOff' } }),
  };
}

function power(vm: string, state: 'On' | 'Off'): Operation {
  return {
    text: `power ${vm} ${state}`,
    run: ({ center }) => center.task(named(center, 'VirtualMachine', vm), `Power${state}VM_Task`),
    after: (before) => change(before, `vm ${vm}`, { power: `powered${state}` }),
  };
}

function rename(vm: string, newName: string): Operation {
  return {
    text: `rename ${vm} to ${newName}`,
    run: ({ center }) => center.task(named(center, 'VirtualMachine', vm), 'Rename_Task', { newName }),
    after: (before) => renamed(before, vm, newName),
  };
}

function move(vm: string, folder: string): Operation {
  return {
    text: `move ${vm} to '${folder}'`,
    run: ({ center }) =>
      center.task(named(center, 'Folder', folder), 'MoveIntoFolder_Task', {
        list: [named(center, 'VirtualMachine', vm)],
      }),
    after: (before) => change(before, `vm ${vm}`, { folder }),
  };
}

function moveToPool(vm: string, pool: string): Operation {
  return {
    text: `move ${vm} to pool '${pool}'`,
    run: ({ center }) =>
      center.invoke(poolNamed(center, pool), 'MoveIntoResourcePool', { list: [named(center, 'VirtualMachine', vm)] }),
    after: (before) => change(before, `vm ${vm}`, { pool }),
  };
}

function destroyVm(vm: string): Operation {
  return {
    text: `destroy ${vm}`,
    run: ({ center }) => center.task(named(center, 'VirtualMachine', vm), 'Destroy_Task'),
    after: (before) => without(before, isAbout(vm)),
  };
}

function createSwitch(name: string): Operation {
  const configSpec = make('VMwareDVSConfigSpec', { name });
  return {
    text: `create switch ${name}`,
    run: ({ center }) =>
      center.task(networkFolder(center), 'CreateDVS_Task', { spec: make('DVSCreateSpec', { configSpec }) }),
    after: (before) => put(before, { [`switch ${name}`]: true }),
  };
}

function createPortgroup(name: string, dvs: string): Operation {
  const spec = make('DVPortgroupConfigSpec', { name, numPorts: 4 });
  return {
    text: `create port group ${name} of ${dvs}`,
    run: ({ center }) =>
      center.task(named(center, 'VmwareDistributedVirtualSwitch', dvs), 'CreateDVPortgroup_Task', { spec }),
    after: (before) => put(before, { [`portgroup ${name}`]: dvs }),
  };
}

function destroySwitch(dvs: string, portgroups: readonly string[]): Operation {
  const gone = [dvs, ...portgroups].map(isAbout);
  return {
    text: `destroy switch ${dvs} with ${portgroups.join()}`,
    run: ({ center }) => center.task(named(center, 'VmwareDistributedVirtualSwitch', dvs) as MoRef, 'Destroy_Task'),
    after: (before) => without(before, (key) => gone.some((isIt) => isIt(key))),
  };
}
