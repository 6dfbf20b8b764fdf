// What a saved VM's guest said of itself. Pure.
import { isIP } from 'node:net';
import type { GuestFacts } from '@vivarium/host/view';
import type { GuestInfo, Told } from '@vivarium/vim';

/** Undefined: it said nothing. */
export function guestFacts(guest: Told<GuestInfo> | undefined): GuestFacts | undefined {
  if (!guest || (guest.hostName === undefined && guest.ipAddress === undefined && (guest.net ?? []).length === 0))
    return undefined;
  const { hostName, guestFullName, net = [], disk = [] } = guest;
  const interfaces = net.flatMap(({ macAddress, ipAddress = [], ipConfig }) => {
    if (macAddress === undefined) return [];
    const said = (ipConfig?.ipAddress ?? []).map(({ ipAddress: address = '', prefixLength = 24 }) => ({
      address,
      prefix: prefixLength,
    }));
    const bare = ipAddress.map((address) => ({ address, prefix: address.includes(':') ? 64 : 24 }));
    return [
      {
        mac: macAddress.toLowerCase(),
        addresses: (said.length > 0 ? said : bare).filter(({ address }) => isIP(address) > 0),
      },
    ];
  });
  const fileSystems = disk.flatMap(({ diskPath, filesystemType, capacity, freeSpace }) =>
    diskPath === undefined || capacity === undefined
      ? []
      : [
          {
            mountPoint: diskPath,
            ...(filesystemType ? { type: filesystemType } : {}),
            capacityBytes: capacity,
            freeBytes: freeSpace ?? 0,
          },
        ],
  );
  return {
    ...(hostName === undefined ? {} : { hostName }),
    ...(guestFullName === undefined ? {} : { osName: guestFullName }),
    interfaces,
    ...(fileSystems.length > 0 ? { fileSystems } : {}),
  };
}
