// Keeps what vApps show of their VMs true: whether they run, their datastores and networks. Once a turn for those that changed.
import type { ManagedObjectReference, MoRef } from '@vivarium/vim';
import type { Center } from '../center.ts';
import { isApp } from '../resource-pool/pool-ref.ts';
import { appsAround } from './app-around.ts';
import { vmsWithin } from './run-app.ts';

type App = MoRef<'VirtualApp'>;

export interface AppKeeper {
  /** What a host told of a VM is in the graph. */
  vmShown(vm: MoRef<'VirtualMachine'>): void;
}

export function keepApps(center: Pick<Center, 'inventory' | 'service' | 'apps'>): AppKeeper {
  const { inventory, apps } = center;
  const due = new Set<string>();
  const touch = (app: ManagedObjectReference) => {
    if (due.size === 0) {
      queueMicrotask(() => {
        const keys = [...due];
        due.clear();
        for (const key of keys) show(center, { type: 'VirtualApp', value: key } as App);
      });
    }
    due.add(app.value);
  };
  const touchAround = (ref: ManagedObjectReference) => {
    for (const app of appsAround(inventory, ref)) touch(app);
  };
  for (const [app] of inventory.ofType('VirtualApp')) touch(app);
  inventory.onChange(({ ref, before, after }) => {
    const { type } = ref as ManagedObjectReference;
    if (type !== 'VirtualMachine' && type !== 'VirtualApp') return;
    if (type === 'VirtualApp' && after) touch(ref as ManagedObjectReference);
    for (const parent of [before?.parent, after?.parent]) {
      if (!isApp(parent)) continue;
      touch(parent);
      touchAround(parent);
    }
  });
  apps.onChange(touch);
  return { vmShown: touchAround };
}

function show({ inventory, service, apps }: Pick<Center, 'inventory' | 'service' | 'apps'>, app: App): void {
  const record = inventory.find<'VirtualApp'>(app);
  const object = service.graph.find<'VirtualApp'>(app);
  const summary = object?.get('summary');
  if (!record || !object || !summary) return;
  const vms = vmsWithin({ inventory }, app).flatMap((vm) => service.graph.find<'VirtualMachine'>(vm) ?? []);
  const states = vms.map((vm) => vm.getPath('runtime.powerState'));
  const isStarted = states.includes('poweredOn');
  const { product, installBootRequired, instanceUuid } = record.vAppConfig;
  object.update({
    summary: {
      ...summary,
      name: record.name,
      vAppState: apps.stateOf(app) ?? (isStarted ? 'started' : 'stopped'),
      suspended: !isStarted && states.includes('suspended'),
      product: product?.[0],
      installBootRequired,
      instanceUuid,
    },
    datastore: union(vms.map((vm) => vm.get('datastore') ?? [])),
    network: union(vms.map((vm) => vm.get('network') ?? [])),
  });
}

function union(lists: readonly (readonly MoRef[])[]): MoRef[] {
  return [...new Map(lists.flat().map((ref) => [ref.value, ref])).values()];
}
