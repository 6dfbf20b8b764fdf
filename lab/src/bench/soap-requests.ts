// SOAP requests a second that hostd answers on its one core: CurrentTime and a small RetrieveProperties, over TLS with keep-alive.
// Counted by hostd's processor time, so that the load generator beside it does not matter.
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { startLabHost } from '../testing/lab-host.ts';
import { type Benchmark, rateFigure } from './figure.ts';

const RUNS = 5;
const REQUESTS = 4_000;
const CONNECTIONS = 16;
const LEAST_PER_SECOND = 2_000;

export const soapRequests: Benchmark = {
  name: 'soap-requests',
  about: 'SOAP requests a second on one core',
  async run(report) {
    await using host = await startLabHost();
    const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS, rejectUnauthorized: false });
    const pid = await host.hostdPid();
    const send = (body: string, cookie?: string) => post(agent, `${host.url}/sdk`, body, cookie);
    const login = await send(
      envelope(
        `<Login xmlns="urn:vim25"><_this type="SessionManager">ha-sessionmgr</_this><userName>${host.userName}</userName><password>${host.password}</password></Login>`,
      ),
    );
    const cookie = login.cookie?.split(';')[0];
    if (!cookie) throw new Error('Login gave no session');
    const bodies = {
      'soap-requests.current-time': envelope(
        '<CurrentTime xmlns="urn:vim25"><_this type="ServiceInstance">ServiceInstance</_this></CurrentTime>',
      ),
      'soap-requests.read-name': envelope(
        '<RetrieveProperties xmlns="urn:vim25"><_this type="PropertyCollector">ha-property-collector</_this><specSet><propSet><type>VirtualMachine</type><pathSet>name</pathSet></propSet><objectSet><obj type="VirtualMachine">1</obj></objectSet></specSet></RetrieveProperties>',
      ),
    };
    for (const [name, body] of Object.entries(bodies)) {
      const runs: number[] = [];
      for (let run = 0; run <= RUNS; run++) {
        const before = await processorSeconds(pid);
        await inParallel(REQUESTS, CONNECTIONS, () => send(body, cookie));
        const perSecond = REQUESTS / ((await processorSeconds(pid)) - before);
        if (run > 0) runs.push(perSecond); // the first one warms up
      }
      report(rateFigure(name, 'requests/s', runs, LEAST_PER_SECOND));
    }
    agent.destroy();
  },
};

function envelope(body: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>${body}</soapenv:Body></soapenv:Envelope>`;
}

function post(agent: Agent, url: string, body: string, cookie?: string): Promise<{ cookie: string | undefined }> {
  return new Promise((resolve, reject) => {
    const headers = {
      'content-type': 'text/xml',
      soapaction: '"urn:vim25/8.0.3.0"',
      'content-length': Buffer.byteLength(body),
      ...(cookie ? { cookie } : {}),
    };
    const outgoing = request(url, { method: 'POST', agent, headers }, (incoming) => {
      incoming.resume();
      incoming.on('end', () => {
        if (incoming.statusCode === 200) resolve({ cookie: incoming.headers['set-cookie']?.[0] });
        else reject(new Error(`HTTP ${incoming.statusCode}`));
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

async function inParallel(count: number, lanes: number, work: () => Promise<unknown>): Promise<void> {
  let left = count;
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      while (left-- > 0) await work();
    }),
  );
}

async function processorSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
