import { make, type VirtualDevice, type VirtualDeviceConnectInfo } from '@vivarium/vim';
import type { DeviceDraft } from '../device-draft.ts';

/**
 * How a device of the spec is connected: what the spec says, over what was, over what a new device has. While the machine is
 * off nothing is connected, whatever the spec says.
 */
export function connection(
  device: VirtualDevice,
  old: VirtualDevice | undefined,
  draft: DeviceDraft,
): VirtualDeviceConnectInfo {
  const wanted = device.connectable;
  const was = old?.connectable;
  const startConnected = wanted?.startConnected ?? was?.startConnected ?? true;
  const isOn = draft.settings.env.powerState !== 'poweredOff';
  const connected = isOn && (wanted?.connected ?? was?.connected ?? startConnected);
  return make('VirtualDeviceConnectInfo', {
    migrateConnect: 'unset',
    startConnected,
    allowGuestControl: wanted?.allowGuestControl ?? was?.allowGuestControl ?? true,
    connected,
    status: connected ? 'ok' : 'untried',
  });
}
