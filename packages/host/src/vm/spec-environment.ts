// What applyConfigSpec is told of this host.
import { dateTime } from '@vivarium/base';
import type { SpecEnvironment } from '@vivarium/vmx';
import type { PowerState } from './power-state.ts';
import type { VmHost } from './vm-host.ts';
import type { Vmm } from './vmm.ts';

export function specEnvironment(host: VmHost, powerState: PowerState, vmm?: Vmm): SpecEnvironment {
  return {
    ...host.surroundings(),
    now: dateTime(host.clock),
    random: host.random,
    powerState,
    defaultDatastore: host.defaultDatastore,
    limits: host.limits,
    machineTypes: host.machineTypes,
    ...(vmm ? { spareSlots: vmm.devices.spareSlots() } : {}),
  };
}
