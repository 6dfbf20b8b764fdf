// A cable for tests: a veth pair of the machine, whose ends are the adapters of two hosts, or of one.
import { randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import { listDevices } from '../linux/devices.ts';
import { ipBatch } from '../machine/host-link.ts';
import { networkOptions } from './test-network.ts';

/** Names of the two ends, up. The cable goes with the test, or with the host (testNetwork) that has an end of it. */
export async function cable(t: TestContext): Promise<readonly [string, string]> {
  const { tools } = networkOptions('');
  const id = randomBytes(4).toString('hex');
  const [near, far] = [`vivt-${id}a`, `vivt-${id}b`] as const;
  await ipBatch(tools, [`link add ${near} type veth peer name ${far}`, `link set ${near} up`, `link set ${far} up`]);
  t.after(async () => {
    const left = listDevices().find((device) => device === near || device === far);
    if (left) await ipBatch(tools, [`link delete ${left}`]);
  });
  return [near, far];
}
