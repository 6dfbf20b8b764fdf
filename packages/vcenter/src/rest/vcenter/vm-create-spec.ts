// com.vmware.vcenter.VM.create_spec as a VirtualMachineConfigSpec. Pure.
import { make, type VirtualMachineConfigSpec } from '@vivarium/vim';
import type { TypeOf } from '../shape.ts';
import { guestIdOf } from './guest-os.ts';
import { deviceChanges, type Networks } from './vm-create-devices.ts';
import type { createSpec } from './vm-create-shapes.ts';

type Spec = TypeOf<typeof createSpec>;

/** `datastore`: the name of the one that the VM's folder is to be on. Errors: invalid_argument. */
export function configSpecOf(spec: Spec, datastore: string, networks: Networks): VirtualMachineConfigSpec {
  const { cpu, memory, boot, hardware_version: version } = spec;
  return make('VirtualMachineConfigSpec', {
    name: spec.name ?? spec.guest_OS,
    guestId: guestIdOf(spec.guest_OS),
    version: version?.toLowerCase().replace('_', '-'),
    files: make('VirtualMachineFileInfo', { vmPathName: `[${datastore}]` }),
    numCPUs: cpu?.count,
    numCoresPerSocket: cpu?.cores_per_socket,
    cpuHotAddEnabled: cpu?.hot_add_enabled,
    cpuHotRemoveEnabled: cpu?.hot_remove_enabled,
    memoryMB: memory?.size_MiB,
    memoryHotAddEnabled: memory?.hot_add_enabled,
    firmware: boot?.type?.toLowerCase(),
    bootOptions: boot && bootOptionsOf(boot),
    deviceChange: deviceChanges(spec, networks),
  });
}

function bootOptionsOf(boot: NonNullable<Spec['boot']>) {
  return make('VirtualMachineBootOptions', {
    bootDelay: boot.delay,
    bootRetryEnabled: boot.retry,
    bootRetryDelay: boot.retry_delay,
    enterBIOSSetup: boot.enter_setup_mode,
    networkBootProtocol: boot.network_protocol?.toLowerCase(),
  });
}
