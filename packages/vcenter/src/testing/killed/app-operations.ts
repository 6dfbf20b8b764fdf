// For tests: operations on vApps, and imports.
import assert from 'node:assert/strict';
import { type MoRef, make } from '@vivarium/vim';
import { poolSpec, type VmFacts, vmSpec } from './inventory-operations.ts';
import { change, isAbout, type Kind, type Operation, put, without } from './operation.ts';
import { named, type Picture, poolNamed, type World } from './picture.ts';

interface AppFacts {
  readonly pool: string;
}

type Facts = <T>(key: string) => T;

const MOST_APPS = 5;

export const appOperations: readonly Kind[] = [
  ({ count, one, all, below }) => {
    if (all('app').length >= MOST_APPS) return undefined;
    const around = below(3) === 0 ? one('app') : undefined;
    return createApp(`a${count}`, around ?? one('pool') ?? '', around === undefined ? (one('folder') ?? '') : null);
  },
  ({ count, one }) => {
    const app = one('app');
    return app === undefined ? undefined : noteApp(app, `note ${count}`);
  },
  ({ count, one }) => {
    const app = one('app');
    return app === undefined ? undefined : createChild(`v${count}`, app);
  },
  ({ one, all, fact }) => {
    const app = one('app');
    const vms = app === undefined ? [] : vmsIn(app, all, fact);
    if (app === undefined || vms.length === 0) return undefined;
    const isOn = (vm: string) => fact<VmFacts>(`vm ${vm}`).power === 'poweredOn';
    return powerApp(app, vms, vms.some(isOn) ? 'Off' : 'On');
  },
  ({ one, all, fact }) => {
    const app = one('app');
    const vms = app === undefined ? [] : vmsIn(app, all, fact);
    const isOn = (vm: string) => fact<VmFacts>(`vm ${vm}`).power === 'poweredOn';
    if (app === undefined || vms.some(isOn)) return undefined;
    return destroyApp(app, [...appsIn(app, all, fact), ...vms]);
  },
  ({ count, one }) => importVm(`v${count}`, one('folder') ?? '', one('pool') ?? ''),
  ({ count, one }) => {
    const app = one('app');
    return app === undefined ? undefined : importVm(`v${count}`, null, app);
  },
  ({ count, one }) => abortedImport(`v${count}`, one('folder') ?? '', one('pool') ?? ''),
];

function appsIn(app: string, all: (kind: string) => string[], fact: Facts): string[] {
  const own = all('app').filter((name) => fact<AppFacts>(`app ${name}`).pool === app);
  return own.flatMap((name) => [name, ...appsIn(name, all, fact)]);
}

function vmsIn(app: string, all: (kind: string) => string[], fact: Facts): string[] {
  const apps = [app, ...appsIn(app, all, fact)];
  return all('vm').filter((vm) => apps.includes(fact<VmFacts>(`vm ${vm}`).pool));
}

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

function destroyApp(app: string, inside: readonly string[]): Operation {
  const gone = [app, ...inside].map(isAbout);
  return {
    text: `destroy vApp ${app} with ${inside.join()}`,
    isOfSteps: true,
    run: ({ center }) => center.task(named(center, 'VirtualApp', app), 'Destroy_Task'),
    after: (before) => without(before, (key) => gone.some((isIt) => isIt(key))),
  };
}

/** `folder`: null in a vApp. */
async function begin({ center }: World, name: string, folder: string | null, pool: string): Promise<MoRef> {
  const lease = await center.invoke<MoRef>(poolNamed(center, pool), 'ImportVApp', {
    spec: make('VirtualMachineImportSpec', { configSpec: vmSpec(name) }),
    ...(folder === null ? {} : { folder: named(center, 'Folder', folder) }),
  });
  await center.eventually(() => center.read(lease, 'state') !== 'initializing');
  assert.equal(center.read(lease, 'state'), 'ready', JSON.stringify(center.read(lease, 'error')));
  return lease;
}

function importVm(name: string, folder: string | null, pool: string): Operation {
  return {
    text: `import ${name} into '${pool}', folder '${folder}'`,
    async run(world) {
      const lease = await begin(world, name, folder, pool);
      await world.center.invoke(lease, 'HttpNfcLeaseProgress', { percent: 50 });
      await world.center.invoke(lease, 'HttpNfcLeaseComplete');
    },
    after: (before) => put(before, { [`vm ${name}`]: { folder, pool, power: 'poweredOff' } }),
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
