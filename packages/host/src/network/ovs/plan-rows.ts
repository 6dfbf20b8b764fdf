// What the switch's database should say, and the operations that make it so from what it says. Pure.
import type { Link } from '../adapters/host-adapters.ts';
import type { Rows } from './ovs-database.ts';
import { mapOf, setOf, textOf, toMap, toSet, uuidsOf } from './ovs-value.ts';
import type { OvsOperation, OvsRow } from './ovsdb-client.ts';

export type Datapath = 'netdev' | 'system';

export interface DesiredBridge {
  readonly name: string;
  readonly datapath: Datapath;
  readonly mtu: number;
  readonly ports: readonly DesiredPort[];
}

export interface DesiredPort {
  /** The device's name, unique on the host. */
  readonly name: string;
  /** `tap`, `uplink` = the device is there already; `internal` = the switch makes it. */
  readonly type: 'tap' | 'uplink' | 'internal';
  /** Access VLAN, for who looks at the switch: the flows decide. */
  readonly tag?: number;
  /** Only for `internal`: the address that the device gets. */
  readonly mac?: string;
  readonly externalIds: Readonly<Record<string, string>>;
}

/** A port that the database has. */
export interface CurrentPort {
  readonly uuid: string;
  readonly name: string;
  readonly bridge: string;
  readonly externalIds: Readonly<Record<string, string>>;
  /** OpenFlow number; undefined until the switch has taken the port in, -1 when it could not. */
  readonly ofport: number | undefined;
  /** The switch's words about a device that it cannot use. */
  readonly error: string | undefined;
  readonly link: Link;
}

/** All ports in the database, without the bridges' own (local) ones. */
export function listPorts(rows: Rows): CurrentPort[] {
  return [...rows.Bridge.values()].flatMap((bridge) =>
    uuidsOf(bridge['ports']).flatMap((uuid) => {
      const port = rows.Port.get(uuid);
      if (!port || port['name'] === bridge['name']) return [];
      const device = interfaceOf(rows, port);
      const ofport = setOf(device?.['ofport'])[0];
      const error = setOf(device?.['error'])[0];
      return {
        uuid,
        name: textOf(port, 'name'),
        bridge: textOf(bridge, 'name'),
        externalIds: mapOf(port['external_ids']),
        ofport: typeof ofport === 'number' ? ofport : undefined,
        error: typeof error === 'string' && error !== '' ? error : undefined,
        link: linkOf(device),
      };
    }),
  );
}

/** `link_speed` is in bit/s (ovs-vswitchd.conf.db(5)). */
function linkOf(device: OvsRow | undefined): Link {
  const value = (column: string) => setOf(device?.[column])[0];
  const hasLink = value('link_state') === 'up';
  const speed = value('link_speed');
  return {
    hasLink,
    isFullDuplex: value('duplex') !== 'half',
    ...(hasLink && typeof speed === 'number' && speed > 0 ? { speedMbps: Math.round(speed / 1e6) } : {}),
  };
}

/** Operations for one transaction; empty when the database says everything already. */
export function planRows(rows: Rows, desired: readonly DesiredBridge[]): OvsOperation[] {
  const operations: OvsOperation[] = [];
  const current = new Map([...rows.Bridge].map(([uuid, row]) => [textOf(row, 'name'), { uuid, row }]));
  for (const [index, bridge] of desired.entries()) {
    const there = current.get(bridge.name);
    if (there && isAlike(there.row, bridge)) operations.push(...planBridge(rows, there, bridge));
    else operations.push(...insertBridge(bridge, index));
  }
  // Rows that nothing refers to any more are removed by the database itself.
  const gone = [...current.values()].filter(({ row }) => !desired.some((bridge) => isAlike(row, bridge)));
  if (gone.length > 0)
    operations.unshift(
      mutateRoot(
        'delete',
        gone.map(({ uuid }) => ['uuid', uuid]),
      ),
    );
  return operations;
}

function isAlike(row: OvsRow, bridge: DesiredBridge): boolean {
  return row['name'] === bridge.name && row['datapath_type'] === bridge.datapath;
}

function planBridge(rows: Rows, there: { uuid: string; row: OvsRow }, bridge: DesiredBridge): OvsOperation[] {
  const operations: OvsOperation[] = [];
  const current = new Map<string, { uuid: string; row: OvsRow }>();
  for (const uuid of uuidsOf(there.row['ports'])) {
    const row = rows.Port.get(uuid);
    if (row) current.set(textOf(row, 'name'), { uuid, row });
  }
  const wanted = new Set([bridge.name, ...bridge.ports.map(({ name }) => name)]);
  const gone = [...current].filter(([name]) => !wanted.has(name)).map(([, { uuid }]) => ['uuid', uuid]);
  if (gone.length > 0) operations.push(mutatePorts(there.uuid, 'delete', gone));
  for (const [index, port] of [localPort(bridge), ...bridge.ports].entries()) {
    const found = current.get(port.name);
    if (found) operations.push(...updatePort(rows, found, port, bridge.mtu));
    else {
      const id = `port_${there.uuid.replaceAll('-', '')}_${index}`;
      operations.push(...insertPort(port, bridge.mtu, id), mutatePorts(there.uuid, 'insert', [['named-uuid', id]]));
    }
  }
  return operations;
}

function insertBridge(bridge: DesiredBridge, index: number): OvsOperation[] {
  const ports = [localPort(bridge), ...bridge.ports].map((port, nth) => ({ port, id: `bridge_${index}_port_${nth}` }));
  const row = {
    name: bridge.name,
    datapath_type: bridge.datapath,
    // Without flows nothing passes: a policy that refuses must not fall open while the switch starts.
    fail_mode: 'secure',
    protocols: toSet(['OpenFlow10', 'OpenFlow13', 'OpenFlow15']),
    ports: toSet(ports.map(({ id }) => ['named-uuid', id])),
  };
  return [
    ...ports.flatMap(({ port, id }) => insertPort(port, bridge.mtu, id)),
    { op: 'insert', table: 'Bridge', 'uuid-name': `bridge_${index}`, row },
    mutateRoot('insert', [['named-uuid', `bridge_${index}`]]),
  ];
}

function insertPort(port: DesiredPort, mtu: number, id: string): OvsOperation[] {
  const address = port.mac === undefined ? {} : { mac: port.mac };
  const device = { name: port.name, type: port.type === 'internal' ? 'internal' : '', mtu_request: mtu, ...address };
  return [
    { op: 'insert', table: 'Interface', 'uuid-name': `if_${id}`, row: device },
    {
      op: 'insert',
      table: 'Port',
      'uuid-name': id,
      row: { name: port.name, interfaces: ['named-uuid', `if_${id}`], ...columns(port) },
    },
  ];
}

function updatePort(rows: Rows, found: { uuid: string; row: OvsRow }, port: DesiredPort, mtu: number): OvsOperation[] {
  const operations: OvsOperation[] = [];
  const isSame = setOf(found.row['tag'])[0] === port.tag && sameMap(mapOf(found.row['external_ids']), port.externalIds);
  if (!isSame) operations.push({ op: 'update', table: 'Port', where: byUuid(found.uuid), row: columns(port) });
  const [device] = uuidsOf(found.row['interfaces']);
  if (device && setOf(rows.Interface.get(device)?.['mtu_request'])[0] !== mtu) {
    operations.push({ op: 'update', table: 'Interface', where: byUuid(device), row: { mtu_request: mtu } });
  }
  return operations;
}

// A bridge has a port and device of its own name, or OVS makes one in its own way.
function localPort(bridge: DesiredBridge): DesiredPort {
  return { name: bridge.name, type: 'internal', externalIds: {} };
}

function columns(port: DesiredPort): OvsRow {
  return { tag: toSet(port.tag === undefined ? [] : [port.tag]), external_ids: toMap(port.externalIds) };
}

function mutateRoot(how: 'insert' | 'delete', bridges: readonly unknown[]): OvsOperation {
  return { op: 'mutate', table: 'Open_vSwitch', where: [], mutations: [['bridges', how, toSet(bridges)]] };
}

function mutatePorts(bridge: string, how: 'insert' | 'delete', ports: readonly unknown[]): OvsOperation {
  return { op: 'mutate', table: 'Bridge', where: byUuid(bridge), mutations: [['ports', how, toSet(ports)]] };
}

function byUuid(uuid: string): unknown {
  return [['_uuid', '==', ['uuid', uuid]]];
}

function interfaceOf(rows: Rows, port: OvsRow): OvsRow | undefined {
  const [uuid] = uuidsOf(port['interfaces']);
  return uuid === undefined ? undefined : rows.Interface.get(uuid);
}

function sameMap(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
