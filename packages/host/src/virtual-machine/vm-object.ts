// The VirtualMachine managed object of one VM: keeps its properties true. Methods are in vm-methods.ts.
import { dateTime, Mutex, type Timer } from '@vivarium/base';
import { isA, type MoRef, make, type VirtualMachineStorageSummary } from '@vivarium/vim';
import type { ManagedObject, Service } from '@vivarium/vmomi';
import { refs } from '../inventory/refs.ts';
import type { Vm, VmAspect } from '../vm/vm.ts';
import { guestInfo } from './guest-info.ts';
import { readLayout, type VmLayout } from './layout.ts';
import { runtimeInfo } from './runtime-info.ts';
import { heartbeat, overallStatus, summary } from './summary.ts';
import { vmCapability } from './vm-capability.ts';
import { type VmMethodsContext, vmMethods } from './vm-methods.ts';

/** Reading sizes from disk waits this long for further changes. */
const LAYOUT_DELAY_MS = 200;

export interface PublishedVm {
  readonly object: ManagedObject<'VirtualMachine'>;
  /** Reads file sizes again. */
  refreshStorage(): Promise<void>;
  remove(): void;
}

/** Puts `vm` into the graph and keeps it there until `remove`. */
export function publishVm(
  vm: Vm,
  service: Service,
  context: Omit<VmMethodsContext, 'refreshStorage'> & { readonly pool: MoRef<'ResourcePool'> },
): PublishedVm {
  const { clock, log } = vm.host;
  let layout: VmLayout | undefined;
  let timer: Timer | undefined;
  let removed = false;
  const reading = new Mutex();

  const readFiles = async () => {
    timer?.cancel();
    timer = undefined;
    const { config, vmxFile } = vm;
    const { paths, disks } = vm.host;
    layout = await readLayout({ config, vmxFile, paths, disks, timestamp: dateTime(clock) });
    if (removed) return;
    object.update({
      layoutEx: layout.layoutEx,
      layout: layout.layout,
      storage: layout.storage,
      summary: summary(vm.view(), layout.summary),
    });
  };
  const refreshStorage = () => reading.run(readFiles);
  const refreshAfter = (delayMs: number) => {
    timer ??= clock.setTimer(delayMs, () => {
      refreshStorage().catch((error: unknown) => log.warn({ vm: vm.id, err: error }, 'the layout is not readable'));
    });
  };
  const object = service.graph.add(
    vm.ref,
    {
      parent: refs.vmFolder,
      resourcePool: context.pool, // who moves it says so here
      environmentBrowser: refs.environmentBrowser,
      configStatus: 'green',
      capability: vmCapability,
      rootSnapshot: [],
      ...propertiesOf(vm, ['config', 'runtime', 'guest'], undefined),
    },
    vmMethods(vm, { ...context, refreshStorage }),
  );
  const stop = vm.onChange((aspects) => {
    object.update(propertiesOf(vm, aspects, layout?.summary));
    if (aspects.includes('files')) refreshAfter(LAYOUT_DELAY_MS);
  });
  refreshAfter(0);
  return {
    object,
    refreshStorage,
    remove() {
      removed = true;
      stop();
      timer?.cancel();
      service.graph.remove(vm.ref);
    },
  };
}

function propertiesOf(vm: Vm, aspects: readonly VmAspect[], storage: VirtualMachineStorageSummary | undefined) {
  const view = vm.view();
  const changes: Record<string, unknown> = { summary: summary(view, storage) };
  if (aspects.includes('config')) {
    Object.assign(changes, {
      name: vm.name,
      config: vm.config,
      resourceConfig: resourceConfig(vm),
      datastore: datastoresOf(vm),
      network: networks(vm),
    });
  }
  if (aspects.includes('runtime') || aspects.includes('config')) {
    changes['runtime'] = runtimeInfo(view);
    changes['overallStatus'] = overallStatus(view);
  }
  if (aspects.includes('guest') || aspects.includes('runtime') || aspects.includes('config')) {
    changes['guest'] = guestInfo(view);
    changes['guestHeartbeatStatus'] = heartbeat(view);
  }
  return changes;
}

function resourceConfig(vm: Vm) {
  const { cpuAllocation, memoryAllocation } = vm.config;
  if (!cpuAllocation || !memoryAllocation) return undefined;
  return make('ResourceConfigSpec', { entity: vm.ref, cpuAllocation, memoryAllocation });
}

/** Where its VMX and its disks lie, each once. */
export function datastoresOf(vm: Vm): MoRef<'Datastore'>[] {
  const { paths } = vm.host;
  const named = (vm.config.hardware.device ?? []).flatMap(({ backing }) =>
    isA('VirtualDeviceFileBackingInfo', backing) && backing.datastore ? [backing.datastore] : [],
  );
  return unique([paths.datastoreOf(vm.vmxFile), ...named]);
}

function networks(vm: Vm): MoRef<'Network'>[] {
  const named = (vm.config.hardware.device ?? []).flatMap(({ backing }) =>
    isA('VirtualEthernetCardNetworkBackingInfo', backing) && backing.network ? [backing.network] : [],
  );
  return unique(named);
}

function unique<T extends { readonly value: string }>(references: readonly T[]): T[] {
  return [...new Map(references.map((reference) => [reference.value, reference])).values()];
}
