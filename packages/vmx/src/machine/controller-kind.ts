import type { ControllerKind } from '@vivarium/qemu/machine';
import { isA, type VirtualDevice } from '@vivarium/vim';

/** QEMU's kind of a vSphere storage controller; `undefined` for every other device. */
export function controllerKind(device: VirtualDevice): ControllerKind | undefined {
  if (isA('ParaVirtualSCSIController', device)) return 'pvscsi';
  if (isA('VirtualLsiLogicSASController', device)) return 'lsisas';
  if (isA('VirtualLsiLogicController', device)) return 'lsilogic';
  if (isA('VirtualBusLogicController', device)) return 'buslogic';
  if (isA('VirtualSATAController', device)) return 'ahci';
  if (isA('VirtualNVMEController', device)) return 'nvme';
  return isA('VirtualIDEController', device) ? 'ide' : undefined;
}
