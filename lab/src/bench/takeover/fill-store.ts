// Fills a store with what vCenter has written of many hosts and VMs. They are simulated, as so many real ones do not fit here; vCenter and
// its documents are not.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@vivarium/base';
import { systemClock, systemRandom } from '@vivarium/base/node';
import { parseFlags, startSim } from '@vivarium/sim';
import { type Item, openMemoryStore, openStore, type Store } from '@vivarium/store';
import { sampleEvent } from '../sample-event.ts';

export interface Size {
  readonly clusters: number;
  readonly hostsInCluster: number;
  readonly vmsInCluster: number;
}

export interface HostAddress {
  readonly address: string;
  readonly port: number;
}

/** As many events as are kept. */
const EVENTS = 50_000;
const EVENTS_AT_ONCE = 400;
const HOSTS = 'inventory/entity/HostSystem:';
/** Of the simulator's users, who are nobody elsewhere. */
const PERMISSIONS = 'authorization/permission/';

/** All hosts are said to be at `host`. The store at `url` loses what it had. */
export async function fillStore(url: string, size: Size, host: HostAddress): Promise<void> {
  await using undo = new AsyncDisposableStack();
  const written = openMemoryStore();
  undo.defer(() => written.close());
  await simulate(size, written);
  for (let key = 1; key <= EVENTS; key += EVENTS_AT_ONCE) {
    const events = Array.from({ length: EVENTS_AT_ONCE }, (_, index) => sampleEvent(key + index));
    await written.history.append('events', events);
  }
  const target = await openStore(url);
  undo.defer(() => target.close());
  const snapshot = undo.use(await written.snapshot());
  await target.replace(itemsFor(host, snapshot.items()));
}

async function simulate({ clusters, hostsInCluster, vmsInCluster }: Size, store: Store): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'viv-bench-takeover-'));
  const counts = { '-standalone-host': 0, '-cluster': clusters, '-host': hostsInCluster, '-vm': vmsInCluster };
  const flags = ['-l', '127.0.0.1:0', '-autostart=false', '-tls=false'];
  for (const [name, count] of Object.entries(counts)) flags.push(name, String(count));
  try {
    const sim = await startSim(parseFlags(flags), {
      clock: systemClock,
      random: systemRandom,
      log: silentLogger,
      version: '0',
      folder,
      store,
      progress: () => undefined,
    });
    await sim.close();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function* itemsFor(host: HostAddress, items: AsyncIterable<Item>): AsyncGenerator<Item> {
  for await (const item of items) {
    if (item.kind === 'document' && item.key.startsWith(PERMISSIONS)) continue;
    if (item.kind === 'document' && item.key.startsWith(HOSTS)) {
      yield { ...item, json: JSON.stringify({ ...(JSON.parse(item.json) as object), ...host }) };
    } else yield item;
  }
}
