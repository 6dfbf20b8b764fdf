import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MethodFault, type MoRef, moRef, type PerfQuerySpec } from '@vivarium/vim';
import { NO_SAMPLES } from '@vivarium/vmomi';
import { linkSource, samplesParser } from './link-source.ts';

const HOST = moRef('HostSystem', 'host-1');
const VM = moRef('VirtualMachine', 'vm-7');
const GONE = moRef('VirtualMachine', 'vm-8');
const LOCAL: Readonly<Record<string, MoRef>> = {
  'host-1': moRef('HostSystem', 'ha-host'),
  'vm-7': moRef('VirtualMachine', '3'),
  'vm-8': moRef('VirtualMachine', '4'),
};
const hostOf = ({ value }: MoRef) => LOCAL[value];
const query = (entity: MoRef) => ({
  entity,
  periodS: 300,
  metrics: [{ counter: 2, instance: '*' }],
  range: { afterMs: Date.UTC(2026, 10, 20), untilMs: Date.UTC(2026, 10, 20, 0, 5) },
});

void test('everything is asked in one request, in the host’s words, and comes back in order', async () => {
  const asked: PerfQuerySpec[][] = [];
  const source = linkSource({
    hostOf,
    call: async (target, method, args) => {
      assert.deepEqual([target.value, method], ['ha-perfmgr', 'QueryPerf']);
      const { querySpec } = args as { querySpec: PerfQuerySpec[] };
      asked.push(querySpec);
      return querySpec.map(({ entity }) => ({
        entity,
        sampleInfoCSV: '300,2026-11-20T00:05:00Z',
        value: [{ id: { counterId: 2, instance: '' }, value: entity.value === '3' ? '42' : '7' }],
      }));
    },
  });
  const [host, unknown, vm] = await source.query([query(HOST), query(moRef('VirtualMachine', 'vm-99')), query(VM)]);
  assert.equal(asked.length, 1);
  assert.deepEqual(
    asked[0]?.map(({ entity, startTime, endTime, intervalId, format }) => [
      entity.value,
      startTime,
      endTime,
      intervalId,
      format,
    ]),
    ['ha-host', '3'].map((id) => [id, '2026-11-20T00:00:00.000Z', '2026-11-20T00:05:00.000Z', 300, 'csv']),
  );
  assert.deepEqual(host?.series[0]?.values, [7]);
  assert.deepEqual(vm, {
    times: [Date.UTC(2026, 10, 20, 0, 5)],
    series: [{ counter: 2, instance: '', values: [42] }],
  });
  assert.equal(unknown, NO_SAMPLES);
});

void test('a VM that went meanwhile spoils nothing for the others', async () => {
  let requests = 0;
  const source = linkSource({
    hostOf,
    async call(_target, _method, args) {
      requests += 1;
      const { querySpec } = args as { querySpec: PerfQuerySpec[] };
      const gone = querySpec.find(({ entity }) => entity.value === '4');
      if (gone) throw new MethodFault('ManagedObjectNotFound', { obj: gone.entity });
      return querySpec.map(({ entity }) => ({
        entity,
        sampleInfoCSV: '300,2026-11-20T00:05:00Z',
        value: [{ id: { counterId: 2, instance: '' }, value: '1' }],
      }));
    },
  });
  const [gone, vm] = await source.query([query(GONE), query(VM)]);
  assert.deepEqual([gone?.times.length, vm?.series[0]?.values, requests], [0, [1], 2]);
  await assert.rejects(
    linkSource({
      hostOf,
      call: async () => {
        throw new MethodFault('ManagedObjectNotFound', { obj: moRef('PerformanceManager', 'ha-perfmgr') });
      },
    }).query([query(VM)]),
    (error) => error instanceof MethodFault,
  );
});

void test('nothing measured is no samples', () => {
  assert.equal(samplesParser()({ entity: VM as MoRef, sampleInfoCSV: '', value: [] } as never), NO_SAMPLES);
});
