// For tests: operations on vApps, and imports.
import assert from 'node:assert/strict';
import { type MoRef, make } from '@vivarium/vim';
import { DEEPEST, poolSpec, vmPath, vmSpec } from './inventory-operations.ts';
import { change, isAbout, type Kind, kind, type Operation, put, without } from './operation.ts';
import { named, type Picture, poolNamed, type World } from './picture.ts';
import { appAround, chainOf, isApp, membersOf, poolsBelow, vmIn, vmsBelow } from './pool-facts.ts';

const MOST_APPS = 5;

/** That it lies in, or is, one of these types. */
const onPools = (method: string) => `ResourcePool.${method} VirtualApp.${method}`;

export const appOperations: readonly Kind[] = [
  kind(onPools('CreateVApp'), ({ count, one, all, below, picture }) => {
    if (all('app').length >= MOST_APPS) return undefined;
    const around = (below(3) === 0 ? one('app') : one('pool')) ?? '';
    if (chainOf(picture, around).length > DEEPEST) return undefined;
    return createApp(`a${count}`, around, isApp(around) ? null : (one('folder') ?? ''));
  }),
  kind('VirtualApp.UpdateVAppConfig', ({ count, one }) => {
    const app = one('app');
    return app === undefined ? undefined : noteApp(app, `note ${count}`);
  }),
  kind('VirtualApp.CreateChildVM_Task', ({ count, one }) => {
    const app = one('app');
    return app === undefined ? undefined : createChild(`v${count}`, app);
  }),
  kind('VirtualApp.RegisterChildVM_Task', ({ count, one }) => {
    const app = one('app');
    return app === undefined ? undefined : registerChild(`v${count}`, app);
  }),
  kind('VirtualApp.PowerOnVApp_Task VirtualApp.PowerOffVApp_Task VirtualApp.UpdateVAppConfig', ({ one, picture }) => {
    const app = one('app');
    const vms = app === undefined ? [] : vmsBelow(picture, app);
    if (app === undefined || vms.length === 0) return undefined;
    const isOn = vms.some((vm) => vmIn(picture, vm).power === 'poweredOn');
    return isOn ? powerApp(app, vms, 'Off') : powerApp(app, membersOf(picture, app), 'On');
  }),
  kind('VirtualApp.SuspendVApp_Task', ({ one, picture }) => {
    const app = one('app');
    if (app === undefined) return undefined;
    const isOn = (vm: string) => vmIn(picture, vm).power === 'poweredOn';
    const vms = membersOf(picture, app).filter(isOn);
    return vmsBelow(picture, app).some(isOn) ? suspendApp(app, vms) : undefined;
  }),
  kind('VirtualApp.Destroy_Task', ({ one, picture }) => {
    const app = one('app');
    return app === undefined || isRunning(picture, app) ? undefined : endApp('Destroy_Task', app, within(picture, app));
  }),
  kind('VirtualApp.unregisterVApp_Task', ({ one, picture }) => {
    const app = one('app');
    if (app === undefined || isRunning(picture, app)) return undefined;
    return endApp('unregisterVApp_Task', app, within(picture, app));
  }),
  kind(`${onPools('ImportVApp')} HttpNfcLease.HttpNfcLeaseProgress HttpNfcLease.HttpNfcLeaseComplete`, (draw) =>
    importVm(`v${draw.count}`, draw.one('folder') ?? '', draw.one(draw.below(2) === 0 ? 'app' : 'pool') ?? ''),
  ),
  kind(`${onPools('ImportVApp')} HttpNfcLease.HttpNfcLeaseAbort`, ({ count, one }) =>
    abortedImport(`v${count}`, one('folder') ?? '', one('pool') ?? ''),
  ),
];

const isRunning = (picture: Picture, app: string) =>
  vmsBelow(picture, app).some((vm) => vmIn(picture, vm).power === 'poweredOn');

const within = (picture: Picture, app: string) => [...poolsBelow(picture, app), ...vmsBelow(picture, app)];

/** `folder`: null in another vApp. */
function createApp(name: string, pool: string, folder: string | null): Operation {
  return {
    text: `create vApp ${name} in '${pool}', folder '${folder}'`,
    run: ({ center }) =>
      center.invoke(poolNamed(center, pool), 'CreateVApp', {
        name,
        resSpec: poolSpec(),
        configSpec: make('VAppConfigSpec', {}),
        ...(folder === null ? {} : { vmFolder: named(center, 'Folder', folder) }),
      }),
    after: (before) => put(before, { [`app ${name}`]: { pool, folder, note: '' } }),
  };
}

function noteApp(app: string, annotation: string): Operation {
  return {
    text: `note on ${app}`,
    run: ({ center }) =>
      center.invoke(named(center, 'VirtualApp', app), 'UpdateVAppConfig', {
        spec: make('VAppConfigSpec', { annotation }),
      }),
    after: (before) => change(before, `app ${app}`, { note: annotation }),
  };
}

function createChild(name: string, app: string): Operation {
  return {
    text: `create ${name} in vApp ${app}`,
    run: ({ center }) => center.task(named(center, 'VirtualApp', app), 'CreateChildVM_Task', { config: vmSpec(name) }),
    after: (before) => put(before, { [`vm ${name}`]: { folder: null, pool: app, power: 'poweredOff' } }),
  };
}

function registerChild(name: string, app: string): Operation {
  return {
    text: `register ${name} in vApp ${app}`,
    run: ({ center }) =>
      center.task(named(center, 'VirtualApp', app), 'RegisterChildVM_Task', { path: vmPath(name), name }),
    after: (before) => put(before, { [`vm ${name}`]: { folder: null, pool: app, power: 'poweredOff' } }),
  };
}

function suspendApp(app: string, vms: readonly string[]): Operation {
  return {
    text: `suspend vApp ${app} with ${vms.join()}`,
    isOfSteps: true,
    run: ({ center }) => center.task(named(center, 'VirtualApp', app), 'SuspendVApp_Task'),
    after: (before) => vms.reduce<Picture>((now, vm) => change(now, `vm ${vm}`, { power: 'suspended' }), before),
  };
}

function powerApp(app: string, vms: readonly string[], state: 'On' | 'Off'): Operation {
  return {
    text: `power vApp ${app} ${state}`,
    isOfSteps: true,
    async run(world) {
      await withoutDelays(world);
      const args = state === 'Off' ? { force: true } : {};
      await world.center.task(named(world.center, 'VirtualApp', app), `Power${state}VApp_Task`, args);
    },
    after: (before) => vms.reduce<Picture>((now, vm) => change(now, `vm ${vm}`, { power: `powered${state}` }), before),
  };
}

/** Nobody waits between two VMs that start. */
async function withoutDelays({ center }: World): Promise<void> {
  for (const { ref } of [...center.service.graph.ofType('VirtualApp')]) {
    const entities = center.read<{ key: MoRef }[]>(ref as MoRef, 'vAppConfig.entityConfig');
    const entityConfig = entities.map(({ key }) => make('VAppEntityConfigInfo', { key: key as never, startDelay: 0 }));
    await center.invoke(ref as MoRef, 'UpdateVAppConfig', { spec: make('VAppConfigSpec', { entityConfig }) });
  }
}

function endApp(method: string, app: string, inside: readonly string[]): Operation {
  const gone = [app, ...inside].map(isAbout);
  return {
    text: `${method} of vApp ${app} with ${inside.join()}`,
    isOfSteps: true,
    run: ({ center }) => center.task(named(center, 'VirtualApp', app), method),
    after: (before) => without(before, (key) => gone.some((isIt) => isIt(key))),
  };
}

async function begin({ center }: World, name: string, folder: string, pool: string): Promise<MoRef> {
  const lease = await center.invoke<MoRef>(poolNamed(center, pool), 'ImportVApp', {
    spec: make('VirtualMachineImportSpec', { configSpec: vmSpec(name) }),
    folder: named(center, 'Folder', folder),
  });
  await center.eventually(() => center.read(lease, 'state') !== 'initializing');
  assert.equal(center.read(lease, 'state'), 'ready', JSON.stringify(center.read(lease, 'error')));
  return lease;
}

function importVm(name: string, folder: string, pool: string): Operation {
  return {
    text: `import ${name} into '${pool}', folder '${folder}'`,
    async run(world) {
      const lease = await begin(world, name, folder, pool);
      await world.center.invoke(lease, 'HttpNfcLeaseProgress', { percent: 50 });
      await world.center.invoke(lease, 'HttpNfcLeaseComplete');
    },
    after: (before) => {
      const place = { folder: appAround(before, pool) === undefined ? folder : null, pool };
      return put(before, { [`vm ${name}`]: { ...place, power: 'poweredOff' } });
    },
  };
}

function abortedImport(name: string, folder: string, pool: string): Operation {
  return {
    text: `begin to import ${name} into '${pool}', folder '${folder}', and abort it`,
    async run(world) {
      const { center } = world;
      const lease = await begin(world, name, folder, pool);
      await center.invoke(lease, 'HttpNfcLeaseAbort');
      const isThere = () =>
        [...center.service.graph.ofType('VirtualMachine')].some((vm) => vm.getPath('name') === name);
      await center.eventually(() => !isThere());
    },
    after: (before) => before,
  };
}
