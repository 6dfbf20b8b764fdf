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
  const device = (config.hardware.device ?? []).map((device) => {
    if (!device.connectable) return device;
    const connected = isConnected(device);
    return { ...device, connectable: { ...device.connectable, connected, status: connected ? 'ok' : 'untried' } };
  });
  return { ...config, hardware: { ...config.hardware, device } };
}
