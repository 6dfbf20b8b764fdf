// RetrievePropertiesEx of 1,000 registered VMs: time to the last byte, for small and for large property sets.
import { make, moRef } from '@vivarium/vim';
import { startLabHost } from '../testing/lab-host.ts';
import { type Benchmark, boundedFigure, median } from './figure.ts';

const VMS = 1_000;
const RUNS = 5;

const reads = [
  { name: 'property-reads.name', pathSet: ['name'], mostMs: 100 },
  { name: 'property-reads.summary', pathSet: ['summary'], mostMs: 300 },
  { name: 'property-reads.everyday', pathSet: ['name', 'summary', 'config', 'runtime'], mostMs: 1_000 },
] as const;

export const propertyReads: Benchmark = {
  name: 'property-reads',
  about: `RetrievePropertiesEx of ${VMS} registered VMs`,
  async run(report) {
    await using host = await startLabHost();
    await using client = await host.connect();
    const created: number[] = [];
    for (let index = 1; index < VMS; index++) {
      const started = performance.now();
      const task = await client.call(moRef('Folder', 'ha-folder-vm'), 'CreateVM_Task', {
        config: make('VirtualMachineConfigSpec', {
          name: `vm-${index}`,
          guestId: 'otherGuest64',
          memoryMB: 32,
          files: make('VirtualMachineFileInfo', { vmPathName: '[datastore1]' }),
        }),
        pool: moRef('ResourcePool', 'ha-root-pool'),
      });
      await client.waitForTask(task);
      created.push(performance.now() - started);
    }
    const { propertyCollector } = await client.content();
    for (const { name, pathSet, mostMs } of reads) {
      const runs: number[] = [];
      for (let run = 0; run < RUNS; run++) {
        const started = performance.now();
        const result = await client.call(propertyCollector, 'RetrievePropertiesEx', {
          specSet: [
            make('PropertyFilterSpec', {
              propSet: [make('PropertySpec', { type: 'VirtualMachine', pathSet: [...pathSet] })],
              objectSet: [
                make('ObjectSpec', {
                  obj: moRef('Folder', 'ha-folder-vm'),
                  skip: true,
                  selectSet: [make('TraversalSpec', { type: 'Folder', path: 'childEntity', skip: false })],
                }),
              ],
            }),
          ],
          options: make('RetrieveOptions', {}),
        });
        runs.push(performance.now() - started);
        if (result?.objects.length !== VMS) throw new Error(`${result?.objects.length} VMs instead of ${VMS}`);
      }
      report(boundedFigure(name, 'ms', runs, median(runs), mostMs));
    }
    report(boundedFigure('property-reads.create-vm', 'ms', created.slice(0, 50), median(created), 50));
  },
};
