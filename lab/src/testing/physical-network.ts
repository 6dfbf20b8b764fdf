// A physical network for tests: a switch of the machine (a bridge, which passes 802.1Q frames on as they are) with cables to
// network devices that hosts can have as uplinks.
import { randomBytes } from 'node:crypto';
import { run, runOk } from './run.ts';

export interface PhysicalNetwork extends AsyncDisposable {
  /** The hosts' ends of the cables. */
  readonly devices: readonly string[];
  /** Plugs a cable in at the switch, or out. */
  setLink(device: string, state: 'up' | 'down'): Promise<void>;
}

export async function makePhysicalNetwork(cables: number): Promise<PhysicalNetwork> {
  const name = `vivl-${randomBytes(3).toString('hex')}`;
  const devices = Array.from({ length: cables }, (_, index) => `${name}h${index}`);
  const portOf = (device: string) => device.replace(/h(\d+)$/, 'p$1');
  const dispose = async () => {
    // A cable goes with either end, wherever the other one is.
    for (const link of [...devices.map(portOf), name]) await run('ip', ['link', 'delete', link]);
  };
  try {
    await runOk('ip', ['link', 'add', name, 'type', 'bridge', 'mcast_snooping', '0']);
    await runOk('ip', ['link', 'set', name, 'up']);
    for (const device of devices) {
      await runOk('ip', ['link', 'add', device, 'type', 'veth', 'peer', 'name', portOf(device)]);
      await runOk('ip', ['link', 'set', portOf(device), 'master', name, 'up']);
      await runOk('ip', ['link', 'set', device, 'up']);
    }
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    devices,
    async setLink(device, state) {
      await runOk('ip', ['link', 'set', portOf(device), state]);
    },
    [Symbol.asyncDispose]: dispose,
  };
}
