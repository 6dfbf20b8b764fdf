// NIC teaming: by which uplink a port's frames leave its switch. Pure.
// Source: vSphere Networking, "Teaming and Failover Policy".
import type { NicTeaming } from './configuration.ts';

/**
 * The name of the uplink, of those that have a link; undefined = there is none. `portId`: a number of the port's own, so that
 * ports are spread. A port whose uplink has a link stays with it, whatever happens to others.
 */
export function chooseUplink(
  { policy, active, standby }: NicTeaming,
  portId: number,
  hasLink: (uplink: string) => boolean,
): string | undefined {
  if (policy === 'failover_explicit') return [...active, ...standby].find(hasLink);
  const own = active[portId % Math.max(active.length, 1)];
  if (own !== undefined && hasLink(own)) return own;
  const failed = active.filter((uplink) => !hasLink(uplink));
  // Standby uplinks take the places of those that have failed, one for one.
  const standIns = standby.filter(hasLink).slice(0, Math.max(failed.length, 1));
  const others = [...active.filter(hasLink), ...standIns];
  return standIns[own === undefined ? 0 : failed.indexOf(own)] ?? others[portId % Math.max(others.length, 1)];
}
