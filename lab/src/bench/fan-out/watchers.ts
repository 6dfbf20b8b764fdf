// A load generator, as a process of its own: so many sessions, each of which holds a WaitForUpdatesEx of a filter over all VMs.
// Started by fan-out.ts with a WatcherOptions as its argument; says `ready` on standard output, counts what was changed from the time in
// the line `measure TIME` on standard input, and answers `report` with a WatcherReport.
import { createInterface } from 'node:readline';
import { type Address, call, SoapSession, specOfView, viewOfVms } from '../simulator/session.ts';
import { LatencyCounts } from './latency-counts.ts';
import { parseMark } from './mark.ts';

export interface WatcherOptions {
  readonly address: Address;
  readonly sessions: number;
  /** The property that the filters are about: it carries the marks. */
  readonly path: string;
}

export interface WatcherReport {
  /** Changes that arrived, summed over the sessions. */
  readonly delivered: number;
  readonly replies: number;
  /** Milliseconds from the request that made the change. */
  readonly p50: number;
  readonly p99: number;
  readonly most: number;
  /** Of this process. */
  readonly processorSeconds: number;
}

/** Sessions that are made at a time. */
const LANES = 8;

const options = JSON.parse(process.argv[2] ?? '') as WatcherOptions;
const counts = new LatencyCounts();
let replies = 0;
/** Changes that were made from this time on count; undefined: none. */
let countedFrom: bigint | undefined;
let measuredFrom = process.cpuUsage();

const sessions: SoapSession[] = [];
let left = options.sessions;
await Promise.all(
  Array.from({ length: LANES }, async () => {
    while (left-- > 0) {
      const session = await SoapSession.open(options.address);
      sessions.push(session);
      const version = await begin(session);
      void watch(session, version).catch((error: unknown) => {
        console.error('a session ended:', error);
        process.exit(1);
      });
    }
  }),
);
console.log('ready');

for await (const line of createInterface({ input: process.stdin })) {
  if (line.startsWith('measure ')) {
    countedFrom = BigInt(line.slice('measure '.length));
    measuredFrom = process.cpuUsage();
  } else if (line === 'report') {
    const { user, system } = process.cpuUsage(measuredFrom);
    const report: WatcherReport = { ...counts.summary(), replies, processorSeconds: (user + system) / 1e6 };
    console.log(JSON.stringify(report));
    process.exit(0);
  }
}

/** Makes the filter and takes what is there; resolves with the version that comes next. */
async function begin(session: SoapSession): Promise<string> {
  const spec = specOfView(await viewOfVms(session), [options.path]);
  const args = `<spec>${spec}</spec><partialUpdates>false</partialUpdates>`;
  await session.send(call('CreateFilter', 'PropertyCollector', 'propertyCollector', args));
  const { body } = await session.send(wait(''));
  return versionIn(body);
}

async function watch(session: SoapSession, from: string): Promise<void> {
  for (let version = from; ; ) {
    const { body } = await session.send(wait(version));
    // It may have waited in vain.
    if (!body.includes('<version>')) continue;
    version = versionIn(body);
    if (countedFrom === undefined) continue;
    const now = process.hrtime.bigint();
    replies += 1;
    for (const sent of parseMark(body)) if (sent >= countedFrom) counts.add(Number(now - sent) / 1e6);
  }
}

function wait(version: string): string {
  return call('WaitForUpdatesEx', 'PropertyCollector', 'propertyCollector', `<version>${version}</version><options/>`);
}

function versionIn(body: string): string {
  const from = body.indexOf('<version>');
  const to = body.indexOf('</version>', from);
  if (from < 0 || to < 0) throw new Error(`no version in ${body.slice(0, 500)}`);
  return body.slice(from + '<version>'.length, to);
}
