// Which daemons a state directory holds: decided at the first `viv up`, kept, and grown by later ones. Their ports stay what
// they were, as vCenter knows its hosts by address and port.
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { writeDurable } from '@vivarium/base/node';
import { type Instance, readText, UserError } from './state.ts';
import { type UplinkWish, withUplinks } from './uplink-option.ts';

const DEFAULT_HOSTS = 3;
const MOST_HOSTS = 64;
const DEFAULT_PORT = 8443;

export interface Layout {
  /** What vCenter, or the host that is alone, listens on; absent = loopback. */
  readonly address?: string;
  /** Absent = a host alone, without vCenter. `store`: where it keeps its state, absent = beside it. */
  readonly vcenter?: { readonly port: number; readonly store?: string };
  /** `uplinks`: network devices of the machine that are the host's physical NICs. */
  readonly hosts: readonly { readonly name: string; readonly port: number; readonly uplinks?: readonly string[] }[];
}

export async function readLayout(stateDir: string): Promise<Layout | undefined> {
  const text = await readText(layoutFile(stateDir));
  if (text !== undefined) return JSON.parse(text) as Layout;
  // The first release kept one host, and no layout.
  const lone = await readText(join(resolve(stateDir), 'esx1', 'hostd.json'));
  if (lone === undefined) return undefined;
  const { listen } = JSON.parse(lone) as { listen: { port: number } };
  return { hosts: [{ name: 'esx1', port: listen.port }] };
}

export interface Wish {
  /** Undefined = as many as there are, three at the first time. */
  readonly hosts: number | undefined;
  /** Of the address that people type: vCenter's, or the lone host's. Undefined or 0 = as it is; at first 8443, or a free one. */
  readonly port: number | undefined;
  /** Undefined = where it is, at first beside vCenter. */
  readonly store: string | undefined;
  /** There may be something in the store that it has: vCenter has run. */
  readonly hasRun: boolean;
  /** Undefined = as it is, loopback at first. */
  readonly address: string | undefined;
  /** Undefined = as they are, none at first. */
  readonly uplinks?: readonly UplinkWish[] | undefined;
}

/**
 * What is there, with what is wished for added; ports are 0 where a free one has to be found. Pure.
 * Throws UserError when a lone host is to become a cluster or share a store, when hosts are to go, or the store is to be another.
 */
export function planLayout(known: Layout | undefined, wish: Wish): Layout {
  const { hosts: wished, store } = wish;
  const port = wish.port ?? DEFAULT_PORT;
  const count = wished ?? known?.hosts.length ?? DEFAULT_HOSTS;
  if (count > MOST_HOSTS) {
    throw new UserError(`${count} hosts on one machine are too many`, `give --hosts a number up to ${MOST_HOSTS}`);
  }
  if (known && count < known.hosts.length) {
    const mend = 'remove one with: govc host.remove, or begin anew in another --state-dir';
    throw new UserError(`there are ${known.hosts.length} hosts already, and viv up takes none away`, mend);
  }
  if (known && !known.vcenter && count > 1) {
    const mend = `give another --state-dir, or leave --hosts out`;
    throw new UserError('this state directory holds a host alone, which does not become a cluster', mend);
  }
  const isAlone = known ? !known.vcenter : count === 1;
  if (isAlone && store !== undefined) {
    throw new UserError(
      '--store is for a vCenter, and a host alone has none',
      'leave it out, or give --hosts 0, 2, 3 …',
    );
  }
  if (wish.hasRun && store !== undefined && store !== known?.vcenter?.store) {
    const place = known?.vcenter?.store ?? 'its own folder';
    const mend = 'take it along: viv backup FILE, viv down, viv restore FILE --store URL, viv up';
    throw new UserError(`this vCenter keeps its state in ${place}`, mend);
  }
  const holder = isAlone ? undefined : known?.hosts.find((host) => wish.port !== 0 && host.port === wish.port);
  if (holder) throw new UserError(`port ${wish.port} is that of ${holder.name}`, 'give vCenter another --port');
  const added = Array.from({ length: count - (known?.hosts.length ?? 0) }, (_, index) => ({
    name: `esx${(known?.hosts.length ?? 0) + index + 1}`,
    port: isAlone ? port : 0,
  }));
  // What people talk to may be reached elsewhere from its next start on; of hosts in a vCenter that knows where they are.
  const moved = <T extends { readonly port: number }>(one: T): T => (wish.port ? { ...one, port: wish.port } : one);
  const kept = (known?.hosts ?? []).map((host) => (isAlone ? moved(host) : host));
  const hosts = withUplinks([...kept, ...added], wish.uplinks);
  const address = wish.address ?? known?.address;
  const front = address === undefined ? {} : { address };
  if (isAlone) return { ...front, hosts };
  const vcenter = known?.vcenter ? moved(known.vcenter) : { port };
  return { ...front, vcenter: { ...vcenter, ...(store === undefined ? {} : { store }) }, hosts };
}

/** The plan with its ports found, on disk. */
export async function keepLayout(stateDir: string, plan: Layout): Promise<Layout> {
  const taken = new Set<number>();
  const settle = async <T extends { readonly port: number }>(one: T): Promise<T> => {
    let { port } = one;
    while (port === 0 || taken.has(port)) port = await freePort();
    taken.add(port);
    return { ...one, port };
  };
  const vcenter = plan.vcenter && (await settle(plan.vcenter));
  const hosts = [];
  for (const host of plan.hosts) hosts.push(await settle(host));
  const layout = { ...plan, ...(vcenter ? { vcenter } : {}), hosts };
  await writeDurable(layoutFile(stateDir), JSON.stringify(layout, null, 2), 0o644);
  return layout;
}

export function hostInstances(stateDir: string, { hosts }: Layout): Instance[] {
  return hosts.map(({ name }) => ({ name, kind: 'hostd', stateDir: join(resolve(stateDir), name) }));
}

export function centerInstance(stateDir: string, { vcenter }: Layout): Instance | undefined {
  return vcenter && { name: 'vcenter', kind: 'vpxd', stateDir: join(resolve(stateDir), 'vcenter') };
}

/** Whether vCenter has ever served, or stood by, here. */
export async function hasCenterRun(stateDir: string): Promise<boolean> {
  return (await readText(join(resolve(stateDir), 'vcenter', 'vpxd.pid'))) !== undefined;
}

/** What people talk to: vCenter, or the host that is alone. Throws UserError when nothing was ever brought up. */
export async function frontInstance(stateDir: string): Promise<Instance> {
  const layout = await readLayout(stateDir);
  const front = layout && (centerInstance(stateDir, layout) ?? hostInstances(stateDir, layout)[0]);
  if (!front) throw new UserError(`nothing was brought up in ${stateDir} yet`, 'begin with: ./viv up');
  return front;
}

function layoutFile(stateDir: string): string {
  return join(resolve(stateDir), 'layout.json');
}

/** Free now; whoever takes it in between makes the daemon say that the port is in use. */
function freePort(): Promise<number> {
  return new Promise((done, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => done(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
