import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Rows, Table } from './ovs-database.ts';
import type { OvsOperation, OvsRow } from './ovsdb-client.ts';
import { type DesiredBridge, listPorts, planRows } from './plan-rows.ts';

const EMPTY: Rows = { Open_vSwitch: new Map(), Bridge: new Map(), Port: new Map(), Interface: new Map() };

const tap = (name: string, tag?: number) =>
  ({ name, type: 'tap', externalIds: { 'port-key': name }, ...(tag === undefined ? {} : { tag }) }) as const;

function bridge(name: string, ...ports: DesiredBridge['ports']): DesiredBridge {
  return { name, datapath: 'netdev', mtu: 1500, ports };
}

/** What ovsdb-server makes of the operations, as far as these plans use it. */
function carryOut(rows: Rows, operations: readonly OvsOperation[]): Rows {
  const named = new Map<string, string>();
  const next = Object.fromEntries(Object.entries(rows).map(([table, map]) => [table, new Map(map)])) as Record<
    Table,
    Map<string, OvsRow>
  >;
  let bridges = new Set(rows.Bridge.keys());
  const resolve = (atom: unknown) => {
    const [kind, id] = atom as [string, string];
    return kind === 'named-uuid' ? (named.get(id) ?? assert.fail(id)) : id;
  };
  for (const operation of operations) {
    const table = operation['table'] as Table;
    const [[, , target] = []] = (operation['where'] ?? []) as [string, string, [string, string]][];
    if (operation.op === 'insert') {
      const uuid = `uuid-${table}-${(operation['row'] as OvsRow)['name'] as string}-${next[table].size}`;
      named.set(operation['uuid-name'] as string, uuid);
      const row = Object.entries(operation['row'] as OvsRow).map(([column, value]) => {
        if (column === 'interfaces') return [column, ['uuid', resolve(value)]];
        if (column !== 'ports') return [column, value];
        return [column, ['set', (value as [string, unknown[]])[1].map((atom) => ['uuid', resolve(atom)])]];
      });
      next[table].set(uuid, Object.fromEntries(row) as OvsRow);
    } else if (operation.op === 'update') {
      const uuid = target?.[1] ?? '';
      next[table].set(uuid, { ...next[table].get(uuid), ...(operation['row'] as OvsRow) });
    } else {
      const [[column, how, [, atoms]]] = operation['mutations'] as [[string, string, [string, unknown[]]]];
      const ids = atoms.map(resolve);
      if (column === 'bridges')
        bridges = how === 'insert' ? bridges.union(new Set(ids)) : bridges.difference(new Set(ids));
      else {
        const uuid = target?.[1] ?? '';
        const [, formerAtoms] = (next.Bridge.get(uuid)?.['ports'] ?? ['set', []]) as [string, unknown[]];
        const former = new Set(formerAtoms.map(resolve));
        const ports = how === 'insert' ? former.union(new Set(ids)) : former.difference(new Set(ids));
        next.Bridge.set(uuid, { ...next.Bridge.get(uuid), ports: ['set', [...ports].map((id) => ['uuid', id])] });
      }
    }
  }
  for (const uuid of next.Bridge.keys()) if (!bridges.has(uuid)) next.Bridge.delete(uuid);
  return next;
}

const wishes: readonly (readonly DesiredBridge[])[] = [
  [bridge('vSwitch0')],
  [bridge('vSwitch0', tap('tap1'), tap('tap2', 10))],
  [bridge('vSwitch0', tap('tap2', 20)), bridge('vSwitch1', tap('tap1'))],
  [bridge('vSwitch1', tap('tap2', 20), tap('tap1', 5))],
  [],
];

test('from any state the operations lead to what is wanted, and then there is nothing left to do', () => {
  for (const former of wishes) {
    const before = carryOut(EMPTY, planRows(EMPTY, former));
    for (const wish of wishes) {
      const after = carryOut(before, planRows(before, wish));
      const found = listPorts(after)
        .map(({ bridge: on, name }) => `${on}/${name}`)
        .sort();
      assert.deepEqual(found, wish.flatMap(({ name, ports }) => ports.map((port) => `${name}/${port.name}`)).sort());
      assert.deepEqual(planRows(after, wish), []);
    }
  }
});

test('another datapath needs another bridge', () => {
  const before = carryOut(EMPTY, planRows(EMPTY, [bridge('vSwitch0', tap('tap1'))]));
  const after = carryOut(before, planRows(before, [{ ...bridge('vSwitch0', tap('tap1')), datapath: 'system' }]));
  assert.deepEqual(
    [...after.Bridge.values()].map((row) => row['datapath_type']),
    ['system'],
  );
});

test('a new MTU is asked for on every device of the bridge', () => {
  const before = carryOut(EMPTY, planRows(EMPTY, [bridge('vSwitch0', tap('tap1'))]));
  const operations = planRows(before, [{ ...bridge('vSwitch0', tap('tap1')), mtu: 9000 }]);
  assert.deepEqual(
    operations.map(({ op, row }) => [op, row]),
    [
      ['update', { mtu_request: 9000 }],
      ['update', { mtu_request: 9000 }],
    ],
  );
});
