// What hostd is started with, and where its state lies. One JSON document on the command line's behalf: `hostd.json`.
import { createHash } from 'node:crypto';
import { join } from 'node:path';

export interface HostdOptions {
  /** Absolute. Everything that hostd keeps is below it. */
  readonly stateDir: string;
  /** Name of the host, as HostSystem.name. */
  readonly name: string;
  /** Address and port of the HTTPS service; port 0 takes a free one. */
  readonly listen: { readonly address: string; readonly port: number };
  /** Runtime root to use (built beforehand by the command line). */
  readonly runtimePath: string;
  /** Folder where what is known of this machine is cached (accelerator verdict). */
  readonly cacheDir: string;
  /** Kernel and initrd with which the accelerator is qualified. */
  readonly probe?: { readonly kernel: string; readonly initrd: string };
}

export interface StatePaths {
  readonly database: string;
  readonly tls: string;
  readonly run: string;
  readonly network: string;
  readonly datastore: string;
  readonly log: string;
  /** Written when the service answers: pid, port. */
  readonly ready: string;
}

export function statePaths(stateDir: string): StatePaths {
  return {
    database: join(stateDir, 'hostd.db'),
    tls: join(stateDir, 'ssl'),
    run: join(stateDir, 'run'),
    network: join(stateDir, 'network'),
    datastore: join(stateDir, 'datastore1'),
    log: join(stateDir, 'hostd.log'),
    ready: join(stateDir, 'hostd.pid'),
  };
}

/** Short name of this host's instance on its machine, from its state directory: for interfaces, namespaces, cgroups. */
export function instanceId(stateDir: string): string {
  return createHash('sha256').update(stateDir).digest('hex').slice(0, 6);
}
