// What vpxd is started with, and where its state lies. One JSON document: `vpxd.json`.
import { join } from 'node:path';

export interface VpxdProcessOptions {
  /** Absolute. Everything that vpxd keeps is below it. */
  readonly stateDir: string;
  /** Address and port of the HTTPS service; port 0 takes a free one. */
  readonly listen: { readonly address: string; readonly port: number };
  /** The address of its store, as openStore takes it. Default: `vpxd.db` in the state directory. */
  readonly store?: string;
}

export function centerPaths(stateDir: string) {
  return {
    database: join(stateDir, 'vpxd.db'),
    /** History of the performance counters. */
    statistics: join(stateDir, 'statistics.db'),
    /** What the owner of the machine asks vpxd for: a socket. */
    control: join(stateDir, 'control'),
    /** Written by whoever starts vpxd: its standard output. */
    log: join(stateDir, 'vpxd.log'),
    certificates: join(stateDir, 'certificates'),
    /** JSON with `userName` and `password` of the first administrator; written once, readable by its owner alone. */
    credentials: join(stateDir, 'credentials.json'),
    /** Written when the service answers, or stands by: pid, startTime, port, address, role. */
    ready: join(stateDir, 'vpxd.pid'),
  };
}

/** The address of the store that `options` name. */
export function storeUrl({ stateDir, store }: VpxdProcessOptions): string {
  return store ?? `sqlite://${centerPaths(stateDir).database.split('/').map(encodeURIComponent).join('/')}`;
}
