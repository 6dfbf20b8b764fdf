// Looks guest operating systems up, by the API's guestId and by the VMX's guestOS.
import type { VirtualMachineGuestOsFamily } from '@vivarium/vim';
import { type GuestProfile, guestProfiles } from './guest-profiles.ts';
import { guestTable } from './guest-table.ts';

export interface GuestOs {
  readonly guestId: string;
  readonly vmxName: string;
  readonly fullName: string;
  readonly family: VirtualMachineGuestOsFamily;
  readonly profile: GuestProfile;
}

export const guestOperatingSystems: readonly GuestOs[] = guestTable.map(([guestId, vmxName, fullName, profile]) => ({
  guestId,
  vmxName,
  fullName,
  family: familyOf(guestId, profile),
  profile: guestProfiles[profile],
}));

const byGuestId = new Map(guestOperatingSystems.map((guest) => [guest.guestId, guest]));
const byVmxName = new Map(guestOperatingSystems.map((guest) => [guest.vmxName, guest]));

export function findGuestOs(guestId: string): GuestOs | undefined {
  return byGuestId.get(guestId);
}

/** What a VMX's `guestOS` means; names that are not known are "other" guests of the right width, as in ESXi. */
export function guestOfVmxName(vmxName: string): GuestOs {
  const name = vmxName.toLowerCase();
  const found = byVmxName.get(name) ?? byVmxName.get(name.endsWith('-64') ? 'other-64' : 'other');
  if (!found) throw new Error('the guest table has lost its "other" guests');
  return found;
}

function familyOf(guestId: string, profile: string): VirtualMachineGuestOsFamily {
  if (/^win/.test(guestId)) return 'windowsGuest';
  if (/^netware/.test(guestId)) return 'netwareGuest';
  if (/^solaris/.test(guestId)) return 'solarisGuest';
  if (/^darwin/.test(guestId)) return 'darwinGuestFamily';
  return /^linux/.test(profile) ? 'linuxGuest' : 'otherGuestFamily';
}
