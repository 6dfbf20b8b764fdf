// The daemon with its doors: store, certificates, the domain of users, the service, HTTPS.
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import type { Clock, Logger, Random } from '@vivarium/base';
import { writeDurable } from '@vivarium/base/node';
import { openSqliteBlocks, openSqliteStore } from '@vivarium/store';
import { ensureAuthority, ensureCertificates } from './certificates/certificate-authority.ts';
import { openDoors } from './doors.ts';
import { VimHostDialer } from './host-link/vim-host-dialer.ts';
import { centerPaths, type VpxdProcessOptions } from './options.ts';
import { joinDomain } from './sso/join-domain.ts';
import { SsoDomain } from './sso/sso-domain.ts';
import { openVpxd } from './vpxd.ts';
import { openCenterWeb } from './web.ts';

export interface VpxdContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly version: string;
}

export async function startVpxd(
  options: VpxdProcessOptions,
  { clock, random, log, version }: VpxdContext,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const paths = centerPaths(options.stateDir);
  await using undo = new AsyncDisposableStack();
  await mkdir(options.stateDir, { recursive: true, mode: 0o711 });
  const store = openSqliteStore(paths.database);
  undo.defer(() => store.close());
  const blocks = openSqliteBlocks(paths.statistics, {
    putAside: (error) => log.error({ err: error }, 'the statistics are damaged: making new ones'),
  });
  undo.defer(() => blocks.close());
  const certificates = await ensureCertificates(
    paths.certificates,
    await ensureAuthority(store, paths.certificates, clock),
    clock,
  );
  const domain = new SsoDomain({ store, random, clock });
  await domain.ensureAdministrator((credentials) =>
    writeDurable(paths.credentials, JSON.stringify(credentials), 0o600),
  );
  const dialer = new VimHostDialer({ clock, authority: certificates.authority, identity: certificates.client });
  const vpxd = await openVpxd({ clock, random, log, version, store, blocks, dialer, users: domain });
  undo.defer(() => vpxd.close());
  await joinDomain(vpxd.service, domain);
  const web = await openCenterWeb({
    listen: options.listen,
    tls: { ...certificates.server, authority: certificates.authority },
    service: vpxd.service,
    log,
    doors: await openDoors(vpxd, domain),
  });
  undo.defer(() => web.close());
  vpxd.start();
  await writeReady(paths.ready, web.port, options.listen.address);
  log.info({ port: web.port, objects: vpxd.service.graph.size }, 'vpxd is ready');
  const stack = undo.move();
  return { port: web.port, close: () => stack.disposeAsync() };
}

/** Whoever waits for us finds out where we are, and whether a process of this number is still us. */
async function writeReady(file: string, port: number, address: string): Promise<void> {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const startTime = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  await writeDurable(file, JSON.stringify({ pid: process.pid, startTime, port, address }), 0o644);
}
