// Devices that a machine has once, at fixed places of the root bus (pci-slots.ts keeps these free): display, input, balloon,
// random source, guest-agent channel, generation id.
import type { Device } from './device.ts';
import type { Machine } from './model.ts';
import { chipsetOf } from './pci-slots.ts';

const AGENT_CHARDEV = 'agent';

export function fixedDevices(machine: Machine): Device[] {
  const root = chipsetOf(machine.machineType) === 'q35' ? 'pcie.0' : 'pci.0';
  const at = (device: number) => ({ bus: root, addr: `0x${device.toString(16)}.0` });
  // On the root bus a virtio device would otherwise also offer the old interface and take I/O ports for it.
  const virtio = { 'disable-legacy': 'on' } as const;
  return [
    videoDevice(machine, at(0xf)),
    { driver: 'virtio-serial-pci', id: 'channels', ...at(0x5), ...virtio },
    {
      driver: 'virtserialport',
      id: 'agent-channel',
      bus: 'channels.0',
      chardev: AGENT_CHARDEV,
      name: 'org.qemu.guest_agent.0',
    },
    ...(machine.usbInput ? usbDevices(at(0x6)) : []),
    ...(machine.balloon ? [balloonDevice(at(0x3), virtio)] : []),
    ...(machine.rng ? [{ driver: 'virtio-rng-pci', id: 'rng', rng: RNG_OBJECT.id, ...at(0x4), ...virtio }] : []),
    ...(machine.generationId === undefined ? [] : [{ driver: 'vmgenid', guid: machine.generationId }]),
  ];
}

/** The host's side of the random source. */
export const RNG_OBJECT = { 'qom-type': 'rng-random', id: 'rng-source', filename: '/dev/urandom' } as const;

/** The chardev of the agent channel, by socket path. */
export const agentChardev = (path: string) =>
  ['socket', { id: AGENT_CHARDEV, path, server: true, wait: false }] as const;

type Place = { readonly bus: string; readonly addr: string };

function videoDevice({ video }: Machine, place: Place): Device {
  // QEMU takes powers of two; less than 16 MB would not hold the modes that firmware and guests choose.
  const memoryMB = 2 ** Math.ceil(Math.log2(Math.min(256, Math.max(16, video.videoRamKB / 1024))));
  switch (video.kind) {
    case 'std':
      return { driver: 'VGA', id: 'video', vgamem_mb: memoryMB, ...place };
    case 'vmware':
      return { driver: 'vmware-svga', id: 'video', vgamem_mb: memoryMB, ...place };
    case 'virtio':
      return { driver: 'virtio-vga', id: 'video', ...place };
  }
}

function usbDevices(place: Place): Device[] {
  return [
    { driver: 'qemu-xhci', id: 'usb', p2: 8, p3: 8, ...place },
    { driver: 'usb-kbd', id: 'keyboard', bus: 'usb.0', port: '1' },
    { driver: 'usb-tablet', id: 'tablet', bus: 'usb.0', port: '2' },
  ];
}

/** Id of the balloon device: `/machine/peripheral/balloon` holds its statistics. */
export const BALLOON_ID = 'balloon';

function balloonDevice(place: Place, virtio: Readonly<Record<string, string>>): Device {
  return {
    driver: 'virtio-balloon-pci',
    id: BALLOON_ID,
    'free-page-reporting': true,
    'deflate-on-oom': true,
    ...place,
    ...virtio,
  };
}
