// RetrievePropertiesEx of 1,000 registered VMs over SOAP: time to the last byte, for small and for large property sets.
// Between the reads some VMs change, so that not everything can come from what was encoded before.
import type { VimClient } from '@vivarium/client';
import { startLabHost } from '../testing/lab-host.ts';
import { createVm, reconfigure, type VmRef } from '../testing/lab-vm.ts';
import { type Benchmark, boundedFigure, median } from './figure.ts';
import { openSoapSession } from './soap-session.ts';

/** With the demo VM. */
const VMS = 1_000;
/** The first finds nothing encoded; it counts. */
const RUNS = 9;
const CHANGED_BETWEEN = 20;

const reads = [
  { name: 'property-reads.name', paths: ['name'], mostMs: 100 },
  { name: 'property-reads.summary', paths: ['summary'], mostMs: 300 },
  { name: 'property-reads.everyday', paths: ['name', 'summary', 'config', 'runtime'], mostMs: 1_000 },
] as const;

export const propertyReads: Benchmark = {
  name: 'property-reads',
  about: `RetrievePropertiesEx of ${VMS} registered VMs`,
  async run(report) {
    await using host = await startLabHost();
    await using client = await host.connect();
    using session = await openSoapSession(host, 1);
    const created: number[] = [];
    const vms: VmRef[] = [];
    for (let index = 1; index < VMS; index++) {
      const started = performance.now();
      vms.push(await createVm(client, `vm-${index}`, { memoryMB: 32 }));
      created.push(performance.now() - started);
    }
    for (const { name, paths, mostMs } of reads) {
      const runs: number[] = [];
      for (let run = 0; run < RUNS; run++) {
        await changeSome(client, vms, run);
        const started = performance.now();
        const bytes = await session.send(retrieval(paths));
        runs.push(performance.now() - started);
        if (bytes < VMS * 100) throw new Error(`${bytes} bytes are not the answer for ${VMS} VMs`);
      }
      report(boundedFigure(name, 'ms', runs, median(runs), mostMs));
    }
    report(boundedFigure('property-reads.create-vm', 'ms', created.slice(-50), median(created.slice(-50)), 50));
  },
};

async function changeSome(client: VimClient, vms: readonly VmRef[], run: number): Promise<void> {
  for (const vm of vms.slice(run * CHANGED_BETWEEN, (run + 1) * CHANGED_BETWEEN))
    await reconfigure(client, vm, { annotation: `changed ${performance.now()}` });
}

function retrieval(paths: readonly string[]): string {
  const pathSets = paths.map((path) => `<pathSet>${path}</pathSet>`).join('');
  return `<RetrievePropertiesEx xmlns="urn:vim25"><_this type="PropertyCollector">ha-property-collector</_this><specSet><propSet><type>VirtualMachine</type>${pathSets}</propSet><objectSet><obj type="Folder">ha-folder-vm</obj><skip>true</skip><selectSet xsi:type="TraversalSpec" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><type>Folder</type><path>childEntity</path><skip>false</skip></selectSet></objectSet></specSet><options/></RetrievePropertiesEx>`;
}
