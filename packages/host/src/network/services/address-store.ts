// A host's IPv4 networks, chosen once and kept, so that guests find the same network after every start.
import { readFile } from 'node:fs/promises';
import { writeDurable } from '@vivarium/base/node';
import type { MachineNetwork } from '../machine/machine-network.ts';
import { NetworkError } from '../provider.ts';
import { type AddressPlan, chooseAddressPlan, formatSubnet, parseSubnet } from './subnet.ts';

/** `ownDevice`: the host's cable, whose networks are its own. */
export async function decideAddressPlan(
  path: string,
  machine: MachineNetwork,
  ownDevice: string,
  start: number,
): Promise<AddressPlan> {
  const former = await readPlan(path);
  const taken = [
    ...machine.routes
      .filter(({ device, destination }) => device !== ownDevice && destination.prefixLength > 0)
      .map((route) => route.destination),
    ...machine.addresses.filter(({ device }) => device !== ownDevice).map(({ subnet }) => subnet),
  ];
  const plan = chooseAddressPlan(taken, start, former);
  if (!plan) throw new NetworkError('every network of 10.86.0.0/16 and 10.87.0.0/16 is in use on this machine');
  if (plan !== former) {
    await writeDurable(
      path,
      `${JSON.stringify({ guests: formatSubnet(plan.guests), link: formatSubnet(plan.link) })}\n`,
    );
  }
  return plan;
}

async function readPlan(path: string): Promise<AddressPlan | undefined> {
  try {
    const stored = JSON.parse(await readFile(path, 'utf8')) as { guests: string; link: string };
    const guests = parseSubnet(stored.guests);
    const link = parseSubnet(stored.link);
    return guests && link ? { guests, link } : undefined;
  } catch {
    return undefined; // a new host, or a file that can as well be chosen anew
  }
}
