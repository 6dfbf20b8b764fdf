// Run as a process of its own by crash tests: starts the network of the state folder argv[2], plugs in the NIC argv[3] when
// there is one, says so, and goes on until it is killed.

import { OvsNetwork } from '../ovs-network.ts';
import { networkOptions } from './test-network.ts';

const [, , stateDir = '', portKey] = process.argv;
// oxlint-disable-next-line no-restricted-globals -- it waits to be killed
setInterval(() => undefined, 1_000);
const network = new OvsNetwork(networkOptions(stateDir));
await network.start();
if (portKey !== undefined) {
  await network.attach({ portKey, mac: '00:50:56:00:00:aa', portGroup: 'VM Network', vmName: portKey });
}
process.stdout.write('ready\n');
