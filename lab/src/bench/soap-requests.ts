// SOAP requests that hostd answers in a second of its processor time, over TLS with keep-alive: what one core can do, whatever
// else the machine does meanwhile, and whatever the load generator costs.
import { startLabHost } from '../testing/lab-host.ts';
import { type Benchmark, rateFigure } from './figure.ts';
import { processorSeconds } from './processor-time.ts';
import { openSoapSession } from './soap-session.ts';

/** Without the first, which warms up. */
const RUNS = 7;
const REQUESTS = 4_000;
const CONNECTIONS = 16;
const LEAST_PER_SECOND = 2_000;

const requests = {
  'soap-requests.current-time':
    '<CurrentTime xmlns="urn:vim25"><_this type="ServiceInstance">ServiceInstance</_this></CurrentTime>',
  // Uptime and load change between the requests.
  'soap-requests.read-vm': `<RetrievePropertiesEx xmlns="urn:vim25"><_this type="PropertyCollector">ha-property-collector</_this><specSet><propSet><type>VirtualMachine</type><pathSet>name</pathSet><pathSet>runtime.powerState</pathSet><pathSet>summary.quickStats</pathSet></propSet><objectSet><obj type="VirtualMachine">1</obj></objectSet></specSet><options/></RetrievePropertiesEx>`,
};

export const soapRequests: Benchmark = {
  name: 'soap-requests',
  about: 'SOAP requests a second on one core',
  async run(report) {
    await using host = await startLabHost();
    using session = await openSoapSession(host, CONNECTIONS);
    const pid = await host.hostdPid();
    for (const [name, body] of Object.entries(requests)) {
      const runs: number[] = [];
      for (let run = 0; run <= RUNS; run++) {
        const before = await processorSeconds(pid);
        await inParallel(REQUESTS, CONNECTIONS, () => session.send(body));
        const perSecond = REQUESTS / ((await processorSeconds(pid)) - before);
        if (run > 0) runs.push(perSecond);
      }
      report(rateFigure(name, 'requests/s', runs, LEAST_PER_SECOND));
    }
  },
};

async function inParallel(count: number, lanes: number, work: () => Promise<unknown>): Promise<void> {
  let left = count;
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      while (left-- > 0) await work();
    }),
  );
}
