// The daemon with its doors: store, certificates, the domain of users, the service, HTTPS.
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { Clock, Logger, Random } from '@vivarium/base';
import { writeDurable } from '@vivarium/base/node';
import { LeaseLost, migrate, StoreUnavailable } from '@vivarium/store';
import { ensureAuthority, ensureCertificates } from './certificates/certificate-authority.ts';
import { openControlDoor } from './control/control-door.ts';
import { openDoors } from './doors.ts';
import { VimHostDialer } from './host-link/vim-host-dialer.ts';
import { LeaseWatch } from './leadership/lease-watch.ts';
import { type Lead, takeLead } from './leadership/take-lead.ts';
import { centerPaths, storeUrl, type VpxdProcessOptions } from './options.ts';
import { migrations } from './schema.ts';
import { joinDomain } from './sso/join-domain.ts';
import { ADMINISTRATORS, SsoDomain } from './sso/sso-domain.ts';
import { openStatistics } from './statistics/open-statistics.ts';
import { openVpxd } from './vpxd.ts';
import { type CenterWeb, openCenterWeb } from './web.ts';

/** How long the others wait for a leader that has died, while it serves and before. */
const LEASE_MS = 3_000;
const OPENING_MS = 30_000;

export interface VpxdContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly version: string;
  /** It led or stood by before: it waits for its store, and whatever passes. */
  readonly isAgain?: boolean;
  /** Ends the waiting of one that stands by. */
  readonly signal?: AbortSignal;
  /** It leads no longer, and another may: this process has to let everything fall at once, and begin anew. */
  readonly deposed: (why: string) => void;
}

export interface RunningVpxd {
  readonly port: number;
  close(): Promise<void>;
}

/** Resolves when it serves; one that stands by may take for ever. Rejects with the signal's reason, StoreError and its kin. */
export async function startVpxd(options: VpxdProcessOptions, context: VpxdContext): Promise<RunningVpxd> {
  const { clock, log, signal } = context;
  const { stateDir, listen } = options;
  const paths = centerPaths(stateDir);
  await using undo = new AsyncDisposableStack();
  await mkdir(stateDir, { recursive: true, mode: 0o711 });
  const lead = undo.use(
    await takeLead({
      url: storeUrl(options),
      certificates: paths.certificates,
      listen,
      ownUrl: ownUrl(listen),
      isAgain: context.isAgain ?? false,
      clock,
      log,
      signal,
      standsBy: (port) => writeReady(paths.ready, { port, address: listen.address, role: 'standby' }),
    }),
  );
  try {
    const port = await serve(lead, options, context, undo);
    const stack = undo.move();
    return { port, close: () => stack.disposeAsync() };
  } catch (error) {
    const isLoss = error instanceof LeaseLost || error instanceof StoreUnavailable;
    if (lead.lease && isLoss) context.deposed(error.message);
    throw error;
  }
}

/** Everything that leads; what ends it goes onto `undo`. Resolves with the port. */
async function serve(
  { store, lease, standBy }: Lead,
  { stateDir, listen }: VpxdProcessOptions,
  { clock, random, log, version, deposed }: VpxdContext,
  undo: AsyncDisposableStack,
): Promise<number> {
  const paths = centerPaths(stateDir);
  const reach: { web?: CenterWeb } = {};
  const watch =
    lease &&
    new LeaseWatch(lease, clock, {
      doubted() {
        log.warn({}, 'the store does not confirm that this vCenter leads: it answers nothing until it does');
        reach.web?.dropConnections();
      },
      certain: () => log.info({}, 'the store confirms that this vCenter leads'),
      deposed,
    });
  undo.defer(() => watch?.stop());
  // Putting a large inventory together may take longer than a lease lasts, and nothing is renewed meanwhile.
  await lease?.setTtl(OPENING_MS);
  const isCertain = () => watch?.isCertain ?? true;
  const { from, to, applied } = await migrate(store, migrations);
  if (applied.length > 0) log.info({ from, to }, 'the documents in the store were brought to a newer version');
  const blocks = await openStatistics(paths.statistics, store, log);
  undo.defer(() => blocks.close());
  const authority = await ensureAuthority(store, paths.certificates, clock);
  const certificates = await ensureCertificates(paths.certificates, authority, clock);
  const domain = new SsoDomain({ store, random, clock });
  await domain.ensureAdministrator((credentials) =>
    writeDurable(paths.credentials, JSON.stringify(credentials), 0o600),
  );
  const dialer = new VimHostDialer({
    clock,
    authority: certificates.authority,
    identity: certificates.client,
    mayAct: () => watch?.whenCertain() ?? Promise.resolve(),
  });
  const vpxd = await openVpxd({
    clock,
    random,
    log,
    version,
    store,
    blocks,
    dialer,
    users: domain,
    // Who sets an extension's certificate may do everything, and so may the extension.
    extensionGroups: [domain.findGroup(ADMINISTRATORS)?.groupName ?? ADMINISTRATORS],
    logFile: paths.log,
  });
  undo.defer(() => vpxd.close());
  await joinDomain(vpxd.service, domain);
  const doors = await openDoors(vpxd, domain);
  const port = standBy?.port ?? listen.port;
  await standBy?.close();
  const web = await openCenterWeb({
    listen: { ...listen, port },
    tls: { ...certificates.server, authority: certificates.authority },
    service: vpxd.service,
    log,
    doors,
    refusal: () => (isCertain() ? undefined : 'this vCenter lost touch with its state, and another may lead.'),
  });
  reach.web = web;
  undo.defer(() => web.close());
  // What is in etcd is backed up without us.
  if (!lease) undo.use(await openControlDoor({ folder: paths.control, store, clock, log }));
  vpxd.start();
  await lease?.setTtl(LEASE_MS);
  await writeReady(paths.ready, { port: web.port, address: listen.address, role: 'leader' });
  log.info({ port: web.port, objects: vpxd.service.graph.size }, 'vpxd is ready');
  return web.port;
}

/** Where others are told that it is. */
function ownUrl({ address, port }: VpxdProcessOptions['listen']): string {
  const isAny = address === '0.0.0.0' || address === '::';
  const host = isAny ? hostname() : address.includes(':') ? `[${address}]` : address;
  return `https://${host}:${port}`;
}

interface Ready {
  readonly port: number;
  readonly address: string;
  readonly role: 'leader' | 'standby';
}

/** Whoever waits for us finds out where we are, and whether a process of this number is still us. */
async function writeReady(file: string, { port, address, role }: Ready): Promise<void> {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const startTime = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  await writeDurable(file, JSON.stringify({ pid: process.pid, startTime, port, address, role }), 0o644);
}
