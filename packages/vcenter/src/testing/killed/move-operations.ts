// For tests: operations that move and rename what there is.
import type { MoRef } from '@vivarium/vim';
import { change, type Kind, kind, type Operation, renamed } from './operation.ts';
import { type Named, named, ownFolder, type Picture, poolNamed } from './picture.ts';
import { appAround, appIn, chainOf, folderOfApp, heightOf, isApp, namesOf, parentIn, vmIn } from './pool-facts.ts';

/** Below the root pool. */
const DEEPEST = 6;

/** Kind of the picture → type. */
const RENAMED = {
  folder: 'Folder',
  pool: 'ResourcePool',
  app: 'VirtualApp',
  vm: 'VirtualMachine',
  switch: 'VmwareDistributedVirtualSwitch',
  portgroup: 'DistributedVirtualPortgroup',
  datacenter: 'Datacenter',
  cluster: 'ClusterComputeResource',
  pod: 'StoragePod',
  datastore: 'Datastore',
} as const satisfies Record<string, Named>;

const into = 'ResourcePool.MoveIntoResourcePool VirtualApp.MoveIntoResourcePool';

export const moveOperations: readonly Kind[] = [
  ...Object.entries(RENAMED).map(([what, type]) =>
    kind(`${type}.Rename_Task`, ({ one, count }) => {
      const name = one(what);
      return name === undefined ? undefined : rename(type, name, `${name[0]}${count}`);
    }),
  ),
  kind('Datastore.RenameDatastore', ({ one, count }) => {
    const name = one('datastore');
    return name === undefined ? undefined : renameDatastore(name, `x${count}`);
  }),
  kind('StoragePod.MoveIntoFolder_Task Folder.MoveIntoFolder_Task', ({ one, below }) => {
    const datastore = one('datastore');
    return datastore === undefined ? undefined : moveDatastore(datastore, below(2) === 0 ? one('pod') : undefined);
  }),
  kind('Folder.MoveIntoFolder_Task', ({ one, picture }) => {
    const vm = one('vm');
    // What is in a vApp is in no folder.
    if (vm === undefined || vmIn(picture, vm).folder === null) return undefined;
    return moveVm(vm, one('folder') ?? '');
  }),
  kind('Folder.MoveIntoFolder_Task', ({ one, picture }) => {
    const [folder, target = ''] = [one('folder'), one('folder')];
    if (folder === undefined) return undefined;
    for (let at = target; at !== ''; at = picture[`folder ${at}`] as string) if (at === folder) return undefined;
    return moveFolder(folder, target);
  }),
  kind('Folder.MoveIntoFolder_Task', ({ one, picture }) => {
    const app = one('app');
    return app === undefined || appIn(picture, app).folder === null ? undefined : moveApp(app, one('folder') ?? '');
  }),
  kind(into, ({ one, below }) => {
    const vm = one('vm');
    return vm === undefined ? undefined : moveVmIntoPool(vm, one(below(2) === 0 ? 'app' : 'pool') ?? '');
  }),
  ...(['pool', 'app'] as const).map((what) =>
    kind(into, ({ one, below, picture }) => {
      const pool = one(what);
      const target = one(['pool', 'app', 'root'][below(3)] ?? 'root') ?? '';
      if (pool === undefined || chainOf(picture, target).includes(pool)) return undefined;
      if (chainOf(picture, target).length - 1 + heightOf(picture, pool) > DEEPEST) return undefined;
      return what === 'pool' ? movePool(pool, target) : moveAppIntoPool(pool, target);
    }),
  ),
];

function rename(type: Named, name: string, newName: string): Operation {
  return {
    text: `rename ${name} to ${newName}`,
    run: ({ center }) => center.task(named(center, type, name), 'Rename_Task', { newName }),
    after: (before) => renamed(before, name, newName),
  };
}

function renameDatastore(name: string, newName: string): Operation {
  return {
    text: `rename datastore ${name} to ${newName}`,
    run: ({ center }) => center.invoke(named(center, 'Datastore', name), 'RenameDatastore', { newName }),
    after: (before) => renamed(before, name, newName),
  };
}

/** `pod`: undefined for the datacenter's own folder. */
function moveDatastore(name: string, pod: string | undefined): Operation {
  return {
    text: `move datastore ${name} into ${pod}`,
    run({ center }) {
      const list = [named(center, 'Datastore', name)];
      const target = pod === undefined ? ownFolder(center, 'datastoreFolder') : named(center, 'StoragePod', pod);
      return center.task(target, 'MoveIntoFolder_Task', { list });
    },
    after: (before) => change(before, `datastore ${name}`, { pod: pod ?? '' }),
  };
}

function intoFolder(type: Named, name: string, folder: string, after: Operation['after']): Operation {
  return {
    text: `move ${name} to '${folder}'`,
    run: ({ center }) =>
      center.task(named(center, 'Folder', folder), 'MoveIntoFolder_Task', { list: [named(center, type, name)] }),
    after,
  };
}

const moveVm = (vm: string, folder: string) =>
  intoFolder('VirtualMachine', vm, folder, (before) => change(before, `vm ${vm}`, { folder }));

const moveApp = (app: string, folder: string) =>
  intoFolder('VirtualApp', app, folder, (before) => change(before, `app ${app}`, { folder }));

const moveFolder = (moved: string, folder: string) =>
  intoFolder('Folder', moved, folder, (before) => ({ ...before, [`folder ${moved}`]: folder }));

function intoPool(type: Named, name: string, target: string, after: Operation['after']): Operation {
  return {
    text: `move ${name} into pool '${target}'`,
    run: ({ center }) =>
      center.invoke(poolNamed(center, target), 'MoveIntoResourcePool', { list: [named(center, type, name) as MoRef] }),
    after,
  };
}

/** Where a VM lies whose pool comes below `target`. */
function folderIn(before: Picture, vm: string, target: string): string | null {
  if (appAround(before, target) !== undefined) return null;
  const { folder, pool } = vmIn(before, vm);
  return folder ?? folderOfApp(before, appAround(before, pool) ?? '');
}

const moveVmIntoPool = (vm: string, target: string) =>
  intoPool('VirtualMachine', vm, target, (before) =>
    change(before, `vm ${vm}`, { pool: target, folder: folderIn(before, vm, target) }),
  );

/** Its VMs come into the vApp around the new place, or leave that around the old one. */
const movePool = (pool: string, target: string) =>
  intoPool('ResourcePool', pool, target, (before) => {
    const from = appAround(before, pool);
    const carried = namesOf(before, 'vm').filter((vm) => {
      const at = vmIn(before, vm).pool;
      return chainOf(before, at).includes(pool) && appAround(before, at) === from;
    });
    const moved = change(before, `pool ${pool}`, { parent: target });
    if (from === appAround(before, target)) return moved;
    return carried.reduce<Picture>(
      (now, vm) => change(now, `vm ${vm}`, { folder: folderIn(before, vm, target) }),
      moved,
    );
  });

/** One in another vApp is in no folder; one that comes out of it is in that one's. */
const moveAppIntoPool = (app: string, target: string) =>
  intoPool('VirtualApp', app, target, (before) => {
    const { folder } = appIn(before, app);
    const outside = folder ?? folderOfApp(before, parentIn(before, app) ?? '');
    return change(before, `app ${app}`, { pool: target, folder: isApp(target) ? null : outside });
  });
