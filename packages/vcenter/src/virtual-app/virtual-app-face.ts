// The VirtualApp object: a resource pool that starts and stops as one. Source: vSphere Web Services API, VirtualApp.
import { type Handlers, MethodFault, type MoRef, make, type Properties } from '@vivarium/vim';
import { type Call, descriptionIdOf } from '@vivarium/vmomi';
import type { Center } from '../center.ts';
import { destroyTree } from '../folder/destroy-tree.ts';
import type { EntityRecord } from '../inventory/entity-records.ts';
import type { EntityFace } from '../publish/publisher.ts';
import { isApp } from '../resource-pool/pool-ref.ts';
import { poolMethods, unusedPool } from '../resource-pool/resource-pool-face.ts';
import { createVm, registerVm } from '../virtual-machine/create-vm.ts';
import { changeApp, unregisterApp } from './change-app.ts';
import { type AppRun, startApp, stopApp, suspendApp, vmsWithin } from './run-app.ts';

type App = MoRef<'VirtualApp'>;

export function virtualAppFace(center: Center): EntityFace<'VirtualApp'> {
  return {
    handlers: (ref) => ({ ...poolMethods(center, ref as MoRef<'ResourcePool'>), ...appMethods(center, ref) }),
    properties: (ref, record) => ({
      ...unusedPool(ref as MoRef<'ResourcePool'>, record),
      summary: make('VirtualAppSummary', {
        ...(unusedPool(ref as MoRef<'ResourcePool'>, record).summary as object),
        _typeName: 'VirtualAppSummary',
        vAppState: 'stopped',
        suspended: false,
        installBootRequired: record.vAppConfig.installBootRequired,
        instanceUuid: record.vAppConfig.instanceUuid,
        product: record.vAppConfig.product?.[0],
      } as never),
      vAppConfig: record.vAppConfig,
      ...placeOf(record),
      datastore: [],
      network: [],
      childLink: [],
    }),
    changes: (_ref, record, before) => ({
      ...placeOf(record),
      ...(record.config === before.config ? {} : { config: record.config }),
      ...(record.vAppConfig === before.vAppConfig ? {} : { vAppConfig: record.vAppConfig }),
    }),
    listings: ({ parent, folder }) => [
      { owner: parent, property: 'resourcePool' },
      ...(folder ? [{ owner: folder as MoRef, property: 'childEntity' }] : []),
    ],
  };
}

/** What is undefined is unset. */
function placeOf({ parent, folder }: EntityRecord<'VirtualApp'>): Properties<'VirtualApp'> {
  return { parentFolder: folder, parentVApp: isApp(parent) ? parent : undefined } as Properties<'VirtualApp'>;
}

function appMethods(center: Center, app: App): Partial<Handlers<'VirtualApp', Call>> {
  const { service, apps } = center;
  const entity = app as MoRef;
  const task = (method: string, call: Call, work: (handle: { readonly signal: AbortSignal }) => Promise<unknown>) => {
    const spec = { entity, descriptionId: descriptionIdOf('VirtualApp', method), call, cancelable: true };
    return service.tasks.start(spec, work);
  };
  const operation = (
    method: string,
    call: Call,
    { state, requested }: { readonly state: 'starting' | 'stopping'; readonly requested: PowerState },
    work: (run: AppRun) => Promise<void>,
  ) => {
    apps.requireCalm(app);
    const spec = { entity, descriptionId: descriptionIdOf('VirtualApp', method), call, cancelable: true };
    return service.tasks.start(spec, async ({ ref, signal, progress }) => {
      requireSome(center, app, requested); // clients take it as a task's fault: govc vapp.destroy
      using _operation = apps.begin(app, { state, task: ref });
      await work({ call, signal, progress });
    });
  };
  return {
    CreateChildVM_Task: ({ config, host }, call) =>
      createVm(center, app, { config, pool: app as MoRef<'ResourcePool'>, host }, call),
    RegisterChildVM_Task: ({ path, name, host }, call) =>
      registerVm(center, app, { path, name, host, pool: app as MoRef<'ResourcePool'>, asTemplate: false }, call),
    UpdateVAppConfig: ({ spec }) => changeApp(center, app, spec),
    PowerOnVApp_Task: (_args, call) =>
      operation('PowerOnVApp_Task', call, { state: 'starting', requested: 'poweredOn' }, (run) =>
        startApp(center, app, run),
      ),
    PowerOffVApp_Task: ({ force }, call) =>
      operation('PowerOffVApp_Task', call, { state: 'stopping', requested: 'poweredOff' }, (run) =>
        stopApp(center, app, force, run),
      ),
    SuspendVApp_Task: (_args, call) =>
      operation('SuspendVApp_Task', call, { state: 'stopping', requested: 'suspended' }, (run) =>
        suspendApp(center, app, run),
      ),
    unregisterVApp_Task: (_args, call) => {
      requireOff(center, app);
      return task('unregisterVApp_Task', call, ({ signal }) => unregisterApp(center, app, call, signal));
    },
    Destroy_Task: (_args, call) => {
      requireOff(center, app);
      return task('Destroy_Task', call, () => destroyTree(center, app, call));
    },
  };
}

type PowerState = 'poweredOn' | 'poweredOff' | 'suspended';

/** Fault: InvalidPowerState, when all of its VMs are in that state already; a vApp that is off is not suspended. */
function requireSome(center: Center, app: App, requestedState: PowerState): void {
  const states = vmsWithin(center, app).map((vm) => stateOf(center, vm));
  const changes = requestedState === 'suspended' ? ['poweredOn'] : states.filter((state) => state !== requestedState);
  if (states.length === 0 || states.some((state) => changes.includes(state))) return;
  const existingState = states[0] ?? 'poweredOff';
  throw new MethodFault('InvalidPowerState', { requestedState, existingState });
}

/** Fault: InvalidPowerState, when a VM in it runs. */
function requireOff(center: Center, app: App): void {
  center.apps.requireCalm(app);
  if (!vmsWithin(center, app).some((vm) => stateOf(center, vm) === 'poweredOn')) return;
  throw new MethodFault('InvalidPowerState', { requestedState: 'poweredOff', existingState: 'poweredOn' });
}

function stateOf({ service }: Center, vm: MoRef<'VirtualMachine'>): PowerState {
  return (service.graph.find(vm)?.getPath('runtime.powerState') as PowerState | undefined) ?? 'poweredOff';
}
