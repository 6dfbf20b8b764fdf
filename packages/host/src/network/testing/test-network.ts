// A real host network for a test: its own state folder, taken down with everything that it made, also when the test fails.
import { existsSync } from 'node:fs';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Logger, silentLogger } from '@vivarium/base';
import { systemClock } from '@vivarium/base/node';
import { makeRuntimeRoot } from '@vivarium/qemu';
import { testRuntime } from '@vivarium/qemu/testing';
import { INITIAL_CONFIGURATION, type NetworkConfiguration } from '../configuration.ts';
import { listDevices } from '../linux/devices.ts';
import { loadLibc } from '../linux/libc.ts';
import { ipBatch } from '../machine/host-link.ts';
import { OvsNetwork, type OvsNetworkOptions } from '../ovs-network.ts';
import { runtimeTools } from '../tools.ts';
import { plugIn, type TapGuest } from './tap-guest.ts';

const RUNTIME = testRuntime() ?? '';

/** Why real networks cannot be tested here; false when they can. */
export const cannotNetwork: string | false =
  process.getuid?.() !== 0
    ? 'needs root'
    : RUNTIME === ''
      ? 'no runtime root: set VIVARIUM_RUNTIME'
      : !existsSync('/dev/net/tun') && 'no /dev/net/tun';

export function networkOptions(
  stateDir: string,
  configuration = INITIAL_CONFIGURATION,
  log: Logger = silentLogger,
): OvsNetworkOptions {
  return {
    stateDir,
    configuration,
    clock: systemClock,
    log,
    tools: runtimeTools(makeRuntimeRoot(RUNTIME, '')),
    libc: loadLibc(),
  };
}

export interface TestNetwork {
  readonly stateDir: string;
  readonly network: OvsNetwork;
  /** Plugs a guest in that speaks for itself. */
  guest(name: string, options?: { portGroup?: string; mac?: string }): Promise<TapGuest>;
  /** Another provider over the same state, as the next hostd makes it. The former one is let go. */
  restart(configuration?: NetworkConfiguration): Promise<OvsNetwork>;
}

/** `uplinks`: devices of the machine that the host may have as vmnic0, vmnic1 … */
export async function testNetwork(
  t: TestContext,
  configuration = INITIAL_CONFIGURATION,
  uplinks: readonly string[] = [],
): Promise<TestNetwork> {
  // oxlint-disable-next-line no-restricted-globals -- the product's timers do not keep a process alive
  const hold = setInterval(() => undefined, 1_000);
  const stateDir = await realpath(await mkdtemp(join(tmpdir(), 'viv-net-')));
  const guests: TapGuest[] = [];
  const adapters = { named: uplinks, others: false };
  let network = new OvsNetwork({ ...networkOptions(stateDir, configuration), adapters });
  t.after(async () => {
    for (const guest of guests) guest.close();
    await network.stop({ teardown: true });
    // Cables of the test: their own clean-up has run before, and not found what the host had.
    for (const device of uplinks) {
      if (listDevices().includes(device)) await ipBatch(networkOptions('').tools, [`link delete ${device}`]);
    }
    await rm(stateDir, { recursive: true, force: true });
    clearInterval(hold);
  });
  await network.start();
  let lastMac = 0x09;
  return {
    stateDir,
    get network() {
      return network;
    },
    guest: async (vmName, { portGroup = 'VM Network', mac } = {}) => {
      lastMac += 1;
      const own = mac ?? `00:50:56:00:00:${lastMac.toString(16).padStart(2, '0')}`;
      const guest = plugIn(await network.attach({ portKey: `${vmName}-4000`, mac: own, portGroup, vmName }), own);
      guests.push(guest);
      return guest;
    },
    restart: async (next = network.configuration) => {
      await network.stop();
      network = new OvsNetwork({ ...networkOptions(stateDir, next), adapters });
      await network.start();
      return network;
    },
  };
}
