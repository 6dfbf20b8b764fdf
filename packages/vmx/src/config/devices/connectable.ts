// How a device is connected. startConnected is configuration; `connected` is the running machine's, kept in the VMX under
// one key of ours so that a host that restarts finds its running machines as they are.
import { make, type VirtualDevice, type VirtualDeviceConnectInfo } from '@vivarium/vim';
import type { VmxFile } from '../../text/vmx-file.ts';
import type { ReadContext } from '../device-context.ts';
import { readFlag, write } from '../vmx-values.ts';

export const CONNECTED_KEY = 'vivarium.connected';

export function readConnectable(
  vmx: VmxFile,
  prefix: string,
  key: number,
  context: ReadContext,
): VirtualDeviceConnectInfo {
  const connected = context.isConnected(key);
  return make('VirtualDeviceConnectInfo', {
    migrateConnect: 'unset',
    startConnected: readFlag(vmx, `${prefix}.startConnected`) ?? true,
    allowGuestControl: readFlag(vmx, `${prefix}.allowGuestConnectionControl`) ?? true,
    connected,
    status: connected ? 'ok' : 'untried',
  });
}

export function writeConnectable(vmx: VmxFile, prefix: string, device: VirtualDevice): void {
  write(vmx, `${prefix}.startConnected`, device.connectable?.startConnected, true);
  write(vmx, `${prefix}.allowGuestConnectionControl`, device.connectable?.allowGuestControl, true);
}

export function readConnected(vmx: VmxFile): ReadonlySet<number> {
  return new Set((vmx.get(CONNECTED_KEY) ?? '').split(',').filter(Boolean).map(Number));
}

export function writeConnected(vmx: VmxFile, devices: readonly VirtualDevice[]): void {
  const keys = devices.filter((device) => device.connectable?.connected).map((device) => device.key);
  write(vmx, CONNECTED_KEY, keys.join(','), '');
}
