// The simulator, put together: a store in memory, simulated hosts, the real vCenter, its doors.
import { join } from 'node:path';
import type { Clock, Logger, Random } from '@vivarium/base';
import { certificateInfo } from '@vivarium/host/view';
import { openMemoryStore, openSqliteBlocks, type Store } from '@vivarium/store';
import {
  type CenterWeb,
  centerBuilder,
  centerRecords,
  ensureAuthority,
  ensureCertificates,
  openCenterWeb,
  openDoors,
  openSdkTunnel,
  openVpxd,
  type SdkTunnel,
  type Vpxd,
} from '@vivarium/vcenter';
import { make } from '@vivarium/vim';
import { ADMINISTRATORS, simExtensions, simUsers } from './any-account.ts';
import { buildInventory } from './build-inventory.ts';
import { FlagError, type SimFlags } from './flags.ts';
import { type HostMaker, hostMaker } from './make-host.ts';
import { SimDialer } from './sim-link.ts';
import { simUrl } from './sim-url.ts';
import { traceRequests } from './trace-requests.ts';

/** Names that are promised to lead nowhere (RFC 2606). */
const UNREACHABLE = /(?:^|\.)invalid$/i;

export interface SimOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly version: string;
  /** A folder for the certificates and the statistics; it may be a fresh one. */
  readonly folder: string;
  /** Where vCenter keeps its state; empty. Default: one in memory, which is closed with the simulator. */
  readonly store?: Store;
  readonly progress: (text: string) => void;
  /** What has to be told of the start: of a saved inventory, what was left out. */
  readonly notice?: (text: string) => void;
  /** Gets every request below /sdk, as text. */
  readonly trace?: (text: string) => void;
}

export interface Sim {
  /** `https://user:pass@127.0.0.1:8989/sdk`. */
  readonly url: string;
  /** The vCenter behind it. */
  readonly vpxd: Vpxd;
  close(): Promise<void>;
}

export async function startSim(flags: SimFlags, options: SimOptions): Promise<Sim> {
  const { clock, random, log, version } = options;
  await using undo = new AsyncDisposableStack();
  const ownStore = options.store ? undefined : openMemoryStore();
  undo.defer(() => ownStore?.close());
  const store = (options.store ?? ownStore) as Store;
  const users = simUsers(flags);
  const made: { maker?: HostMaker } = {};
  // Whoever adds a host by a name that is not known yet has a new one, without datastores, as with vcsim.
  const dialer = new SimDialer((address) => {
    if (UNREACHABLE.test(address)) return undefined;
    return made.maker?.find(address) ?? made.maker?.make(address, []);
  });
  const blocks = openSqliteBlocks(join(options.folder, 'statistics.db'));
  undo.defer(() => blocks.close());
  const vpxd = await openVpxd({
    ...{ clock, random, log, version, store, blocks, dialer, users },
    extensionGroups: [ADMINISTRATORS],
    certificateLogin: simExtensions(flags),
    scheme: flags.isTls ? 'https' : 'http',
  });
  undo.defer(() => vpxd.close());
  const { about: center } = vpxd.service.content;
  if (flags.apiVersion !== undefined) {
    vpxd.service.extendContent({ about: { ...center, apiVersion: flags.apiVersion } });
  }
  await vpxd.service.authorization.grantAdmin(ADMINISTRATORS, true);
  const about = make('AboutInfo', {
    ...center,
    name: 'VMware ESXi',
    fullName: 'VMware ESXi 9.0.0 (simulated)',
    osType: 'vmnix-x86',
    productLineId: 'embeddedEsx',
    apiType: 'HostAgent',
    instanceUuid: undefined,
  });
  const certificates = flags.isTls
    ? await ensureCertificates(options.folder, await ensureAuthority(store, options.folder, clock), clock)
    : undefined;
  const certificate = certificates && certificateInfo(certificates.server.certificate, clock.now());
  const maker = hostMaker({ clock, random, flags, about, certificate });
  made.maker = maker;
  if (flags.loadFolder === undefined) {
    await buildInventory({ random, flags, maker, builder: centerBuilder(vpxd.center), progress: options.progress });
  } else {
    // Most simulators load nothing.
    const { loadInventory } = await import('./load/load-inventory.ts');
    const records = centerRecords(vpxd.center);
    const { service } = vpxd;
    const left = await loadInventory({ folder: flags.loadFolder, random, records, maker, service });
    for (const line of left) options.notice?.(line);
  }
  vpxd.statistics.start();
  const web = await openCenterWeb({
    listen: flags.listen,
    ...(certificates ? { tls: { ...certificates.server, authority: certificates.authority } } : {}),
    service: vpxd.service,
    log,
    before: options.trace ? [traceRequests(clock, options.trace)] : [],
    doors: await openDoors(vpxd),
  });
  undo.defer(() => web.close());
  const tunnel = await openTunnel(flags, web);
  undo.defer(() => tunnel?.close());
  const stack = undo.move();
  return { url: simUrl(flags, web.port, tunnel?.port), vpxd, close: () => stack.disposeAsync() };
}

/** Beside the main door, on its address. */
async function openTunnel({ listen, tunnelPort }: SimFlags, web: CenterWeb): Promise<SdkTunnel | undefined> {
  if (tunnelPort === undefined) return undefined;
  const { address } = listen;
  const opened = openSdkTunnel({ listen: { address, port: tunnelPort }, accept: (one) => web.accept(one) });
  return opened.catch((error: Error) => {
    throw new FlagError(`-tunnel ${tunnelPort} cannot be listened on: ${error.message}`);
  });
}
