// For tests: operations on folders, pools and VMs that make, change and remove them.
import { normalPoolAllocation } from '@vivarium/drs/resource-pool';
import { make } from '@vivarium/vim';
import { change, isAbout, type Kind, kind, type Operation, put, without } from './operation.ts';
import { named, type Picture, poolNamed } from './picture.ts';
import {
  appAround,
  appIn,
  chainOf,
  isApp,
  namesOf,
  parentIn,
  poolIn,
  poolsBelow,
  vmIn,
  vmsBelow,
} from './pool-facts.ts';

const MOST_POOLS = 6;
/** Below the root pool; vSphere has eight. */
export const DEEPEST = 6;

export const poolSpec = (limit = -1) =>
  make('ResourceConfigSpec', {
    cpuAllocation: normalPoolAllocation('cpu'),
    memoryAllocation: { ...normalPoolAllocation('memory'), limit },
  });

export const vmPath = (name: string) => `[shared] ${name}/${name}.vmx`;

export const vmSpec = (name: string) =>
  make('VirtualMachineConfigSpec', {
    name,
    guestId: 'otherGuest',
    files: make('VirtualMachineFileInfo', { vmPathName: '[shared]' }),
  });

export const inventoryOperations: readonly Kind[] = [
  kind('Folder.CreateFolder', ({ count, one }) => createFolder(`f${count}`, one('folder') ?? '')),
  kind('Folder.Destroy_Task', ({ one, picture }) => {
    const folder = one('folder');
    const inside = folder === undefined ? [] : insideFolder(picture, folder);
    if (folder === undefined || inside.some((name) => vmIn(picture, name)?.power === 'poweredOn')) return undefined;
    return destroyFolder(folder, inside);
  }),
  kind('ResourcePool.CreateResourcePool VirtualApp.CreateResourcePool', ({ count, one, all, below, picture }) => {
    const parent = (below(3) === 0 ? one('app') : one('pool')) ?? '';
    const isRoom = all('pool').length < MOST_POOLS && chainOf(picture, parent).length <= DEEPEST;
    return createPool(`p${count}`, isRoom ? parent : '');
  }),
  kind('ResourcePool.UpdateConfig VirtualApp.UpdateConfig', ({ count, one }) => {
    const pool = one('pool');
    return pool === undefined ? undefined : limitPool(pool, count);
  }),
  kind('ResourcePool.Destroy_Task', ({ one }) => {
    const pool = one('pool');
    return pool === undefined ? undefined : destroyPool(pool);
  }),
  kind('ResourcePool.DestroyChildren VirtualApp.DestroyChildren', ({ one, below, picture }) => {
    const pool = one(below(2) === 0 ? 'app' : 'pool');
    if (pool === undefined) return undefined;
    const childrenOf = (at: string) => namesOf(picture, 'pool').filter((name) => poolIn(picture, name).parent === at);
    const children = childrenOf(pool);
    // What lies deeper goes up step by step, and is in between for a while.
    return children.some((name) => childrenOf(name).length > 0) ? undefined : destroyChildren(pool, children);
  }),
  ...[1, 2].map(() =>
    kind('Folder.CreateVM_Task', ({ count, one }) => createVm(`v${count}`, one('folder') ?? '', one('pool') ?? '')),
  ),
  kind('Folder.RegisterVM_Task', ({ count, one }) => registerVm(`v${count}`, one('folder') ?? '', one('pool') ?? '')),
  kind('VirtualMachine.PowerOnVM_Task VirtualMachine.PowerOffVM_Task', ({ one, picture }) => {
    const vm = one('vm');
    if (vm === undefined) return undefined;
    return power(vm, vmIn(picture, vm).power === 'poweredOn' ? 'PowerOffVM_Task' : 'PowerOnVM_Task');
  }),
  kind('VirtualMachine.SuspendVM_Task', ({ one, picture }) => {
    const vm = one('vm');
    return vm !== undefined && vmIn(picture, vm).power === 'poweredOn' ? power(vm, 'SuspendVM_Task') : undefined;
  }),
  kind('VirtualMachine.Destroy_Task', ({ one, picture }) => {
    const vm = one('vm');
    return vm === undefined || vmIn(picture, vm).power === 'poweredOn' ? undefined : destroyVm(vm);
  }),
  kind('VirtualMachine.UnregisterVM', ({ one, picture }) => {
    const vm = one('vm');
    return vm === undefined || vmIn(picture, vm).power === 'poweredOn' ? undefined : unregisterVm(vm);
  }),
];

function createFolder(name: string, parent: string): Operation {
  return {
    text: `create folder ${name} in '${parent}'`,
    run: ({ center }) => center.invoke(named(center, 'Folder', parent), 'CreateFolder', { name }),
    after: (before) => put(before, { [`folder ${name}`]: parent }),
  };
}

/** Folders, VMs and vApps, with what is in these. */
function insideFolder(picture: Picture, folder: string): string[] {
  const folders = namesOf(picture, 'folder').filter((name) => picture[`folder ${name}`] === folder);
  const vms = namesOf(picture, 'vm').filter((name) => vmIn(picture, name).folder === folder);
  const apps = namesOf(picture, 'app').filter((name) => appIn(picture, name).folder === folder);
  return [
    ...folders.flatMap((name) => [name, ...insideFolder(picture, name)]),
    ...vms,
    ...apps.flatMap((name) => [name, ...poolsBelow(picture, name), ...vmsBelow(picture, name)]),
  ];
}

function destroyFolder(folder: string, inside: readonly string[]): Operation {
  const gone = [folder, ...inside].map(isAbout);
  return {
    text: `destroy folder ${folder} with ${inside.join()}`,
    isOfSteps: true,
    run: ({ center }) => center.task(named(center, 'Folder', folder), 'Destroy_Task'),
    after: (before) => without(before, (key) => gone.some((isIt) => isIt(key))),
  };
}

function createPool(name: string, parent: string): Operation {
  return {
    text: `create pool ${name} in '${parent}'`,
    run: ({ center }) => center.invoke(poolNamed(center, parent), 'CreateResourcePool', { name, spec: poolSpec() }),
    after: (before) => put(before, { [`pool ${name}`]: { parent, limit: -1 } }),
  };
}

function limitPool(pool: string, limit: number): Operation {
  return {
    text: `limit pool ${pool} to ${limit} MB`,
    run: ({ center }) => center.invoke(poolNamed(center, pool), 'UpdateConfig', { config: poolSpec(limit) }),
    after: (before) => change(before, `pool ${pool}`, { limit }),
  };
}

/** What was in the pool comes into the one around it. */
function withoutPool(before: Picture, pool: string): Picture {
  const around = parentIn(before, pool) ?? '';
  let now = before;
  for (const vm of namesOf(before, 'vm')) {
    if (vmIn(before, vm).pool === pool) now = change(now, `vm ${vm}`, { pool: around });
  }
  for (const name of namesOf(before, 'pool')) {
    if (poolIn(before, name).parent === pool) now = change(now, `pool ${name}`, { parent: around });
  }
  for (const name of namesOf(before, 'app')) {
    const { pool: at, folder } = appIn(before, name);
    if (at === pool) now = change(now, `app ${name}`, { pool: around, folder: isApp(around) ? null : folder });
  }
  return without(now, isAbout(pool));
}

function destroyPool(pool: string): Operation {
  return {
    text: `destroy pool ${pool}`,
    isOfSteps: true,
    run: ({ center }) => center.task(poolNamed(center, pool), 'Destroy_Task'),
    after: (before) => withoutPool(before, pool),
  };
}

function destroyChildren(pool: string, children: readonly string[]): Operation {
  return {
    text: `destroy the pools in ${pool}: ${children.join()}`,
    isOfSteps: true,
    run: ({ center }) => center.invoke(poolNamed(center, pool), 'DestroyChildren'),
    after: (before) => children.reduce(withoutPool, before),
  };
}

/** In the folder, or in the vApp around the pool. */
function newVm(before: Picture, name: string, folder: string, pool: string): Picture {
  const place = { folder: appAround(before, pool) === undefined ? folder : null, pool };
  return put(before, { [`vm ${name}`]: { ...place, power: 'poweredOff' } });
}

function createVm(name: string, folder: string, pool: string): Operation {
  return {
    text: `create ${name} in '${folder}', pool '${pool}'`,
    run: ({ center }) =>
      center.task(named(center, 'Folder', folder), 'CreateVM_Task', {
        config: vmSpec(name),
        pool: poolNamed(center, pool),
      }),
    after: (before) => newVm(before, name, folder, pool),
  };
}

function registerVm(name: string, folder: string, pool: string): Operation {
  return {
    text: `register ${name} in '${folder}', pool '${pool}'`,
    run: ({ center }) =>
      center.task(named(center, 'Folder', folder), 'RegisterVM_Task', {
        path: vmPath(name),
        name,
        asTemplate: false,
        pool: poolNamed(center, pool),
      }),
    after: (before) => newVm(before, name, folder, pool),
  };
}

const STATES = { PowerOnVM_Task: 'poweredOn', PowerOffVM_Task: 'poweredOff', SuspendVM_Task: 'suspended' } as const;

function power(vm: string, method: keyof typeof STATES): Operation {
  return {
    text: `${method} of ${vm}`,
    run: ({ center }) => center.task(named(center, 'VirtualMachine', vm), method),
    after: (before) => change(before, `vm ${vm}`, { power: STATES[method] }),
  };
}

function destroyVm(vm: string): Operation {
  return {
    text: `destroy ${vm}`,
    run: ({ center }) => center.task(named(center, 'VirtualMachine', vm), 'Destroy_Task'),
    after: (before) => without(before, isAbout(vm)),
  };
}

function unregisterVm(vm: string): Operation {
  return {
    text: `unregister ${vm}`,
    run: ({ center }) => center.invoke(named(center, 'VirtualMachine', vm), 'UnregisterVM'),
    after: (before) => without(before, isAbout(vm)),
  };
}
