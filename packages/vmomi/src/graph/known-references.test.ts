import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MoRef, moRef } from '@vivarium/vim';
import { fault, ROOT, testService, VM } from '../testing/test-service.ts';
import { knownReference, withKnownReferences } from './known-references.ts';
import { ObjectGraph } from './object-graph.ts';

const CLUSTER = moRef('ClusterComputeResource', 'domain-c7') as MoRef;

function world() {
  const graph = new ObjectGraph();
  graph.add(CLUSTER, { name: 'C0' });
  graph.add(moRef('Folder', 'group-d1'), { name: 'root' });
  return graph;
}

void test('a base type and the right value name the object; a wrong type or value names nothing', () => {
  const graph = world();
  assert.deepEqual(knownReference(graph, moRef('ComputeResource', 'domain-c7')), CLUSTER);
  assert.deepEqual(knownReference(graph, moRef('ManagedEntity', 'domain-c7')), CLUSTER);
  for (const ref of [
    moRef('HostSystem', 'domain-c7'),
    moRef('ComputeResource', 'domain-c8'),
    moRef('VirtualApp', 'domain-c7'),
    { type: 'NoSuchType', value: 'domain-c7' } as unknown as MoRef,
  ])
    assert.equal(knownReference(graph, ref as MoRef), ref);
});

void test('references are corrected wherever they stand, and nothing else is touched', () => {
  const graph = world();
  const base = { type: 'ComputeResource', value: 'domain-c7' };
  const spec = { _typeName: 'ObjectSpec', obj: base, skip: false };
  const option = { _typeName: 'HostSystemIdentificationInfo', type: 'ComputeResource', value: 'domain-c7' };
  const args = { specSet: [{ _typeName: 'PropertyFilterSpec', objectSet: [spec] }], option, list: [base, base], n: 1 };
  assert.deepEqual(withKnownReferences(graph, args), {
    specSet: [{ _typeName: 'PropertyFilterSpec', objectSet: [{ ...spec, obj: CLUSTER }] }],
    option,
    list: [CLUSTER, CLUSTER],
    n: 1,
  });
  assert.deepEqual(args.list, [base, base], 'what was sent stays as it is');
  const right = { obj: CLUSTER, deep: [[{ x: { y: 1 } }]], text: 'a' };
  assert.equal(withKnownReferences(graph, right), right, 'nothing to correct is nothing to copy');
});

void test('calls on an object by its base type are served, and tell its own', async (context) => {
  const { invoke } = await testService(context);
  const base = moRef('ManagedEntity', VM.value) as MoRef;
  assert.deepEqual(await invoke(base, 'Fetch', { prop: 'name' }), { _typeName: 'string', _value: 'vm1' });
  await assert.rejects(
    invoke(moRef('HostSystem', VM.value) as MoRef, 'Fetch', { prop: 'name' }),
    fault('ManagedObjectNotFound'),
  );
});

void test('without a login nobody learns what an object is', async (context) => {
  const { service, call, invoke } = await testService(context);
  const object = moRef('ManagedEntity', ROOT.value) as MoRef;
  const anonymous = call(service.sessions.anonymous);
  await assert.rejects(invoke(object, 'Destroy_Task', {}, anonymous), fault('NotAuthenticated', { object }));
});
