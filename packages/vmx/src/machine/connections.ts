// What is connected when a machine starts and when it has stopped: the part of the configuration that is runtime.
import type { VirtualDevice, VirtualMachineConfigInfo } from '@vivarium/vim';

/** Before power-on: everything that starts connected is. Write the result to the VMX before the guest runs. */
export function connectForPowerOn(config: VirtualMachineConfigInfo): VirtualMachineConfigInfo {
  return withConnections(config, (device) => device.connectable?.startConnected ?? false);
}

/** After power-off: nothing is connected. */
export function disconnectForPowerOff(config: VirtualMachineConfigInfo): VirtualMachineConfigInfo {
  return withConnections(config, () => false);
}

function withConnections(
  config: VirtualMachineConfigInfo,
  isConnected: (device: VirtualDevice) => boolean,
): VirtualMachineConfigInfo {
  const before = config.hardware.device ?? [];
  const device = before.map((device) => {
    const { connectable } = device;
    if (!connectable) return device;
    const connected = isConnected(device);
    const status = connected ? 'ok' : 'untried';
    if (connectable.connected === connected && connectable.status === status) return device;
    return { ...device, connectable: { ...connectable, connected, status } };
  });
  const isAsBefore = device.every((one, index) => one === before[index]);
  return isAsBefore ? config : { ...config, hardware: { ...config.hardware, device } };
}
