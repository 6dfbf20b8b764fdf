// What hostd is started with, and where its state lies. One JSON document on the command line's behalf: `hostd.json`.
import { join } from 'node:path';
import type { ProbePayload } from '@vivarium/qemu';

export interface HostdOptions {
  /** Absolute. Everything that hostd keeps is below it. */
  readonly stateDir: string;
  /** Name of the host, as HostSystem.name. */
  readonly name: string;
  /** Address and port of the HTTPS service; port 0 takes a free one. */
  readonly listen: { readonly address: string; readonly port: number };
  /** Name of the first datastore; default: datastore1. */
  readonly datastore?: string;
  /** Runtime root to use (built beforehand by the command line). */
  readonly runtimePath: string;
  /** Folder where what is known of this machine is cached (accelerator verdict). */
  readonly cacheDir: string;
  /** JSON with `userName` and `password` of the first administrator; read when the host has no users yet. */
  readonly credentialsFile?: string;
  /** Several hosts on one machine: each has a hardware UUID of its own instead of the machine's. */
  readonly isOneOfMany?: boolean;
  /** Network devices of the machine that are the host's to use as uplinks (eth1). Only a host that is alone has the others, too. */
  readonly uplinks?: readonly string[];
  /** Kernel and initrd with which the accelerator is qualified. */
  readonly probe?: ProbePayload;
  /**
   * `none` runs VMMs with hostd's own rights and without walls: for measuring what the jail costs and for debugging, never for
   * guests that are not trusted. Such VMs cannot use images outside their folder. Absent = the best jail that hostd's rights allow.
   */
  readonly jail?: 'none';
}

export interface StatePaths {
  readonly database: string;
  /** History of the performance counters. */
  readonly statistics: string;
  readonly tls: string;
  readonly run: string;
  readonly datastore: string;
  /** Standard output and error of the daemon, written by whoever starts it. */
  readonly log: string;
  /** Written when the service answers (pid, port); removed when it has stopped and nothing of the host runs any more. */
  readonly ready: string;
}

export function statePaths(stateDir: string): StatePaths {
  return {
    database: join(stateDir, 'hostd.db'),
    statistics: join(stateDir, 'statistics.db'),
    tls: join(stateDir, 'ssl'),
    run: join(stateDir, 'run'),
    datastore: join(stateDir, 'datastore1'),
    log: join(stateDir, 'hostd.log'),
    ready: join(stateDir, 'hostd.pid'),
  };
}
