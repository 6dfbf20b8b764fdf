// The host's side of NICs, and their links.
import type { Netdev } from '../machine/device.ts';
import { QmpError } from './errors.ts';
import type { Qmp } from './monitor.ts';
import { findText, readFlag, readList } from './read.ts';

export async function netdevAdd(monitor: Qmp, netdev: Netdev): Promise<void> {
  await monitor.execute('netdev_add', netdev);
}

export async function netdevDelete(monitor: Qmp, id: string): Promise<void> {
  await monitor.execute('netdev_del', { id });
}

/** Plugs or unplugs the cable that the guest sees, of a nic. */
export async function setLink(monitor: Qmp, nicId: string, isUp: boolean): Promise<void> {
  await monitor.execute('set_link', { name: nicId, up: isUp });
}

export interface RxFilter {
  readonly mac: string;
  readonly isPromiscuous: boolean;
}

/** What a nic listens to; `undefined` for the kinds that cannot say (all but virtio). */
export async function queryRxFilter(monitor: Qmp, nicId: string): Promise<RxFilter | undefined> {
  try {
    const [filter] = readList(await monitor.execute('query-rx-filter', { name: nicId }));
    if (!filter) return undefined;
    return { mac: (findText(filter, 'main-mac') ?? '').toLowerCase(), isPromiscuous: readFlag(filter, 'promiscuous') };
  } catch (error) {
    if (error instanceof QmpError && error.class === 'GenericError') return undefined;
    throw error;
  }
}
