// viv up --uplink: which network devices of this machine are which host's. Pure.
import type { Layout } from './layout.ts';
import { UserError } from './state.ts';

export interface UplinkWish {
  /** Absent = of the host that is alone. */
  readonly host?: string;
  readonly device: string;
}

/** `eth1`, `esx2=eth1`; `none` names no device. Throws UserError. */
export function parseUplink(text: string): UplinkWish[] {
  if (text === 'none') return [];
  const [, host, device] = /^(?:([^=]+)=)?([^=/\s]{1,15})$/.exec(text) ?? [];
  if (device === undefined) {
    throw new UserError(`${text} names no network device`, 'give --uplink eth1, or --uplink esx2=eth1');
  }
  return [{ ...(host === undefined ? {} : { host }), device }];
}

/** The hosts with these devices and no others; undefined = with those that they have. Throws UserError. */
export function withUplinks(hosts: Layout['hosts'], wishes: readonly UplinkWish[] | undefined): Layout['hosts'] {
  if (!wishes) return hosts;
  for (const [index, { host, device }] of wishes.entries()) {
    if (host === undefined && hosts.length !== 1) {
      throw new UserError(`${device} could be any host's`, `say whose it is: --uplink esx1=${device}`);
    }
    if (host !== undefined && !hosts.some(({ name }) => name === host)) {
      throw new UserError(`there is no host ${host}`, `the hosts are ${hosts.map(({ name }) => name).join(', ')}`);
    }
    if (wishes.findIndex((other) => other.device === device) < index) {
      throw new UserError(`${device} is named twice`, 'a network device is the uplink of one host');
    }
  }
  return hosts.map(({ uplinks: _former, ...host }) => {
    const uplinks = wishes.filter((wish) => (wish.host ?? host.name) === host.name).map(({ device }) => device);
    return { ...host, ...(uplinks.length > 0 ? { uplinks } : {}) };
  });
}
