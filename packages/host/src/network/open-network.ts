// Chooses and starts the network that this host can have.
import { accessSync, constants } from 'node:fs';
import { realpath } from 'node:fs/promises';
import type { Clock, Logger } from '@vivarium/base';
import { makeRuntimeRoot } from '@vivarium/qemu';
import type { AdapterChoice } from './adapters/host-adapters.ts';
import type { NetworkConfiguration } from './configuration.ts';
import { loadLibc } from './linux/libc.ts';
import { OvsNetwork } from './ovs-network.ts';
import type { NetworkProvider } from './provider.ts';
import { runtimeTools } from './tools.ts';
import { UserNetwork } from './user-network.ts';

export interface OpenNetworkOptions {
  readonly stateDir: string;
  readonly configuration: NetworkConfiguration;
  readonly runtimePath: string;
  /** Which of the machine's network adapters the host may have. */
  readonly adapters: AdapterChoice;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * As root the host's own Open vSwitch, else user-mode networking. A root's network that cannot be made (a container without
 * CAP_NET_ADMIN, say) is an error of the log and a fact of the doctor; the host then starts with user-mode networking.
 */
export async function openNetwork(options: OpenNetworkOptions): Promise<NetworkProvider> {
  const { configuration, runtimePath, adapters, clock, log } = options;
  if (process.getuid?.() !== 0) return new UserNetwork({ reason: 'not root' });
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK);
    const network = new OvsNetwork({
      stateDir: await realpath(options.stateDir),
      configuration,
      adapters,
      clock,
      log,
      tools: runtimeTools(makeRuntimeRoot(runtimePath, '')),
      libc: loadLibc(),
    });
    await network.start();
    return network;
  } catch (error) {
    log.error({ err: error }, 'no virtual switch on this machine: user-mode networking instead');
    return new UserNetwork({ reason: error instanceof Error ? error.message : String(error) });
  }
}
