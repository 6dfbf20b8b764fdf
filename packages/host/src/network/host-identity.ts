// What tells the hosts of one machine apart: everything that a host makes outside its state folder carries its id. Pure.
import { createHash } from 'node:crypto';

export interface HostIdentity {
  /** Of the network namespace, of the cable's end on the machine and of the rules' table: `viv-1a2b3c4d` (at most 15 letters). */
  readonly name: string;
  /** The host's own port on its switch. In VMware's range, where ESXi takes its VMkernel addresses from (00:50:56:6…). */
  readonly gatewayMac: string;
  /** 0-255, where the search for free addresses begins. */
  readonly firstSubnet: number;
}

/** `stateDir` is the host's identity: its absolute, resolved path. */
export function hostIdentity(stateDir: string): HostIdentity {
  const digest = createHash('sha256').update(stateDir).digest('hex');
  const [a = '', b = '', c = ''] = [digest.slice(8, 9), digest.slice(9, 11), digest.slice(11, 13)];
  return {
    name: `viv-${digest.slice(0, 8)}`,
    gatewayMac: `00:50:56:6${a}:${b}:${c}`,
    firstSubnet: Number.parseInt(digest.slice(13, 15), 16),
  };
}
