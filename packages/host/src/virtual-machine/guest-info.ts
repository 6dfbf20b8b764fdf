// VirtualMachine.guest from the claims of the guest's agent. Pure.
// The qemu-guest-agent stands where VMware Tools stand: `guestToolsUnmanaged`, as open-vm-tools report themselves.
import { type GuestInfo, type GuestNicInfo, isA, make } from '@vivarium/vim';
import type { GuestFacts } from '../vm/guest-facts.ts';
import type { VmView } from '../vm/vm-view.ts';

const UNMANAGED_VERSION = '2147483647';

export function guestInfo(view: VmView): GuestInfo {
  const running = view.power === 'poweredOn' && view.tools === 'running';
  const facts = running ? view.guest : undefined;
  const ipAddress = facts && primaryAddress(facts);
  const { config } = view;
  return make('GuestInfo', {
    toolsStatus: view.tools === 'unknown' ? 'toolsNotInstalled' : running ? 'toolsOk' : 'toolsNotRunning',
    toolsVersionStatus: view.tools === 'unknown' ? 'guestToolsNotInstalled' : 'guestToolsUnmanaged',
    toolsVersionStatus2: view.tools === 'unknown' ? 'guestToolsNotInstalled' : 'guestToolsUnmanaged',
    toolsRunningStatus: running ? 'guestToolsRunning' : 'guestToolsNotRunning',
    toolsVersion: view.tools === 'unknown' ? '0' : UNMANAGED_VERSION,
    guestId: running ? config.guestId : undefined,
    guestFamily: running ? (config.guestId.startsWith('win') ? 'windowsGuest' : 'linuxGuest') : undefined,
    guestFullName: running ? (facts?.osName ?? config.guestFullName) : undefined,
    hostName: facts?.hostName,
    ipAddress,
    net: facts && guestNics(view, facts),
    guestState: view.power === 'poweredOn' ? (running ? 'running' : 'unknown') : 'notRunning',
    appHeartbeatStatus: 'appStatusGray',
    appState: 'none',
    guestOperationsReady: false,
    interactiveGuestOperationsReady: false,
    guestStateChangeSupported: running,
    hwVersion: config.version,
  });
}

/** The address that `guest.ipAddress` names: the first IPv4 that is not link-local, else the first IPv6 of that kind. */
export function primaryAddress(facts: GuestFacts): string | undefined {
  const all = facts.interfaces.flatMap((entry) => entry.addresses.map(({ address }) => address));
  const global = all.filter((address) => !/^(127\.|169\.254\.|::1$|fe80:)/i.test(address));
  return global.find((address) => !address.includes(':')) ?? global[0];
}

function guestNics(view: VmView, facts: GuestFacts): GuestNicInfo[] {
  const cards = view.config.hardware.device?.filter((device) => isA('VirtualEthernetCard', device)) ?? [];
  return facts.interfaces.flatMap((entry) => {
    const card = cards.find((candidate) => candidate.macAddress?.toLowerCase() === entry.mac);
    if (!card) return [];
    const backing = card.backing;
    return [
      make('GuestNicInfo', {
        network: isA('VirtualEthernetCardNetworkBackingInfo', backing) ? backing.deviceName : undefined,
        macAddress: entry.mac,
        ipAddress: entry.addresses.map(({ address }) => address),
        connected: card.connectable?.connected ?? true,
        deviceConfigId: card.key,
        ipConfig: make('NetIpConfigInfo', {
          ipAddress: entry.addresses.map(({ address, prefix }) =>
            make('NetIpConfigInfoIpAddress', { ipAddress: address, prefixLength: prefix, state: 'preferred' }),
          ),
        }),
      }),
    ];
  });
}
