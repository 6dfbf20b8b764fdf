// VirtualMachine.guest from the claims of the guest's agent. Pure.
// The qemu-guest-agent stands where VMware Tools stand: `guestToolsUnmanaged`, as open-vm-tools report themselves.
import { type GuestInfo, type GuestNicInfo, isA, make } from '@vivarium/vim';
import { findGuestOs } from '@vivarium/vmx';
import { type GuestFacts, isReachable } from '../vm/guest-facts.ts';
import type { VmView } from '../vm/vm-view.ts';

const UNMANAGED_VERSION = '2147483647';

export function guestInfo(view: VmView): GuestInfo {
  const running = view.power === 'poweredOn' && view.tools === 'running';
  const facts = running ? view.guest : undefined;
  const net = facts && guestNics(view, facts);
  const { config } = view;
  return make('GuestInfo', {
    toolsStatus: view.tools === 'unknown' ? 'toolsNotInstalled' : running ? 'toolsOk' : 'toolsNotRunning',
    toolsVersionStatus: view.tools === 'unknown' ? 'guestToolsNotInstalled' : 'guestToolsUnmanaged',
    toolsVersionStatus2: view.tools === 'unknown' ? 'guestToolsNotInstalled' : 'guestToolsUnmanaged',
    toolsRunningStatus: running ? 'guestToolsRunning' : 'guestToolsNotRunning',
    toolsVersion: view.tools === 'unknown' ? '0' : UNMANAGED_VERSION,
    guestId: running ? config.guestId : undefined,
    guestFamily: running ? findGuestOs(config.guestId)?.family : undefined,
    guestFullName: running ? (facts?.osName ?? config.guestFullName) : undefined,
    hostName: facts?.hostName,
    ipAddress: net && primaryAddress(net),
    net,
    disk: facts?.fileSystems?.map(({ mountPoint, type, capacityBytes, freeBytes }) =>
      make('GuestDiskInfo', {
        diskPath: mountPoint,
        capacity: capacityBytes,
        freeSpace: freeBytes,
        filesystemType: type,
      }),
    ),
    guestState: view.power === 'poweredOn' ? (running ? 'running' : 'unknown') : 'notRunning',
    appHeartbeatStatus: 'appStatusGray',
    appState: 'none',
    guestOperationsReady: false,
    interactiveGuestOperationsReady: false,
    guestStateChangeSupported: running,
    hwVersion: config.version,
  });
}

/**
 * The address that `guest.ipAddress` names: the first IPv4 that others can reach, else the first such IPv6. Only those of
 * the VM's own NICs, in the order of the hardware: a guest's bridges and tunnels are nobody's way in.
 */
function primaryAddress(nics: readonly GuestNicInfo[]): string | undefined {
  const reachable = nics.flatMap(({ ipAddress }) => ipAddress ?? []).filter(isReachable);
  return reachable.find((address) => !address.includes(':')) ?? reachable[0];
}

/** One entry a NIC of the VM. An address that the guest claims for something else is left out. */
function guestNics({ config }: VmView, facts: GuestFacts): GuestNicInfo[] {
  const cards = config.hardware.device?.filter((device) => isA('VirtualEthernetCard', device)) ?? [];
  return cards.flatMap((card) => {
    const mac = card.macAddress?.toLowerCase();
    // A bridge and the NIC in it have one address: together they are that NIC.
    const claims = facts.interfaces.filter((entry) => entry.mac === mac);
    if (mac === undefined || claims.length === 0) return [];
    const addresses = claims.flatMap((claim) => claim.addresses);
    const { backing } = card;
    return [
      make('GuestNicInfo', {
        network: isA('VirtualEthernetCardNetworkBackingInfo', backing) ? backing.deviceName : undefined,
        macAddress: mac,
        ipAddress: addresses.map(({ address }) => address),
        connected: card.connectable?.connected ?? true,
        deviceConfigId: card.key,
        ipConfig: make('NetIpConfigInfo', {
          ipAddress: addresses.map(({ address, prefix }) =>
            make('NetIpConfigInfoIpAddress', { ipAddress: address, prefixLength: prefix, state: 'preferred' }),
          ),
        }),
      }),
    ];
  });
}
