// After a restart of hostd: makes the switch's ports those of the guests that run on.
import type { Logger } from '@vivarium/base';
import type { NetworkProvider, PortSpec } from './provider.ts';

/** Unplugs what no guest holds, and brings the rest to what its VM's configuration says. A port that cannot be is logged. */
export async function adoptPorts(
  network: Pick<NetworkProvider, 'adopt' | 'attach'>,
  live: readonly PortSpec[],
  log: Logger,
): Promise<void> {
  await network.adopt(new Set(live.map(({ portKey }) => portKey)));
  for (const port of live) {
    await network.attach(port).catch((error: unknown) => {
      log.warn({ port: port.portKey, portGroup: port.portGroup, err: error }, 'a running guest has lost its network');
    });
  }
}
