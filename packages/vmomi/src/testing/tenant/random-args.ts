// For tests: plausible arguments for any method of the schema: references to what there is, specifications that say something.
import { type FieldInfo, type MoRef, make, schema } from '@vivarium/vim';
import type { Draw } from './draw.ts';
import type { World } from './world.ts';

export function randomArgs(world: World, draw: Draw, type: string, method: string): Record<string, unknown> {
  const params = schema.method(type, method)?.params ?? [];
  const args: Record<string, unknown> = {};
  for (const param of params) {
    const value = isFileName(type, param) ? datastorePath(world, draw) : argument(world, draw, param);
    if (value !== undefined) args[param.name] = value;
  }
  return args;
}

/** What FileManager and VirtualDiskManager call a name is a path. */
function isFileName(receiver: string, { name, type }: FieldInfo): boolean {
  return type === 'string' && /^(File|VirtualDisk)Manager$/.test(receiver) && /name$/i.test(name);
}

function argument(world: World, draw: Draw, param: FieldInfo): unknown {
  if (param.optional && draw.below(2) === 0) return undefined;
  const one = () => single(world, draw, param, 0);
  return param.array ? Array.from({ length: 1 + draw.below(2) }, one) : one();
}

function single(world: World, draw: Draw, { type, kind, name }: FieldInfo, depth: number): unknown {
  if (kind === 'managed') return reference(world, draw, type);
  if (kind === 'enum') return draw.pick(schema.enumValues(type) ?? ['']);
  if (kind === 'data') return SPECS[type]?.(world, draw) ?? data(world, draw, type, depth);
  if (type === 'boolean') return draw.below(2) === 0;
  if (/^(int|long|short|byte|float|double)$/.test(type)) return draw.below(4);
  if (type === 'dateTime') return new Date(0).toISOString();
  if (name === 'sessionId') return draw.pick(world.tenants).session.key;
  if (/path/i.test(name)) return datastorePath(world, draw);
  if (name === 'ticketType') return draw.pick(['webmks', 'device', 'guestControl']);
  if (name === 'userName' || name === 'user' || name === 'principal') return draw.pick(world.tenants).userName;
  if (type === 'typeName') return 'VirtualMachine';
  return `x${draw.below(1000)}`;
}

function reference(world: World, draw: Draw, type: string): MoRef {
  const all = world.entities().filter((ref) => schema.isSubtype(ref.type, type));
  return draw.pick(all.length > 0 ? all : world.entities());
}

/** What has to be there, and nothing else. */
function data(world: World, draw: Draw, type: string, depth: number): object {
  const made: Record<string, unknown> = { _typeName: type };
  for (const field of schema.data(type)?.required ?? []) {
    if (depth > 3) continue;
    const value = single(world, draw, field, depth + 1);
    made[field.name] = field.array ? [value] : value;
  }
  return made;
}

/** Of a file that is there, or would be on another datastore; in one of the ways to name it. */
function datastorePath(world: World, draw: Draw): string {
  const own = world.read<string>(entity(world, draw, 'VirtualMachine'), 'config.files.vmPathName');
  if (draw.below(2) === 0) return own;
  const datastore = entity(world, draw, 'Datastore');
  const name = world.read<string>(datastore, 'name');
  const url = world.read<string>(datastore, 'summary.url');
  const path = own.replace(/^\[[^\]]*\]\s*/, '');
  return draw.pick([
    `[${name}] ${path}`,
    ` [ ${name} ]${path}`,
    `${url}${path}`,
    `${url.replace('ds://', '')}${path}`,
    `/vmfs/volumes/${name}/${path}`,
    `[${url.split('/').at(-2)}] ${path}`,
    `https://host/folder/${path}?dsName=${name}`,
  ]);
}

function entity(world: World, draw: Draw, ...types: string[]): MoRef {
  const all = world.entities();
  const fitting = all.filter((ref) => types.includes(ref.type));
  return draw.pick(fitting.length > 0 ? fitting : all);
}

function deviceChange(world: World, draw: Draw): object {
  const datastore = entity(world, draw, 'Datastore');
  const file = `[${world.read<string>(datastore, 'name')}] other/other`;
  const spec = (device: object, more: object = {}) =>
    make('VirtualDeviceConfigSpec', { operation: 'add', device: { key: -1, ...device } as never, ...more });
  const disk = { _typeName: 'VirtualDisk', capacityInKB: 1024 };
  const diskBacking = {
    _typeName: 'VirtualDiskFlatVer2BackingInfo',
    diskMode: 'persistent',
    ...draw.pick([{ fileName: `${file}.vmdk` }, { fileName: '', datastore }, { fileName: '' }]),
  };
  const network = entity(world, draw, 'Network');
  return draw.pick([
    () => spec({ ...disk, backing: diskBacking }, { fileOperation: 'create' }),
    () => spec({ ...disk, backing: diskBacking }),
    () =>
      spec({
        _typeName: 'VirtualCdrom',
        backing: { _typeName: 'VirtualCdromIsoBackingInfo', fileName: `${file}.iso` },
      }),
    () =>
      spec({
        _typeName: 'VirtualVmxnet3',
        backing: {
          _typeName: 'VirtualEthernetCardNetworkBackingInfo',
          deviceName: world.read(network, 'name'),
          useAutoDetect: false,
          ...(draw.below(2) === 0 ? { network } : {}),
        },
      }),
  ])();
}

const allocation = () => ({
  _typeName: 'ResourceAllocationInfo',
  reservation: 0,
  expandableReservation: true,
  limit: -1,
  shares: { _typeName: 'SharesInfo', level: 'normal', shares: 0 },
});

const SPECS: Readonly<Record<string, (world: World, draw: Draw) => object>> = {
  VirtualMachineConfigSpec: (world, draw) => {
    const datastore = entity(world, draw, 'Datastore');
    const files = { vmPathName: `[${world.read<string>(datastore, 'name')}]` };
    return make('VirtualMachineConfigSpec', {
      ...draw.pick([
        () => ({ annotation: 'mine' }),
        () => ({ memoryMB: 64 }),
        () => ({ name: `n${draw.below(1000)}` }),
        () => ({ deviceChange: [deviceChange(world, draw)] as never }),
      ])(),
      ...(draw.below(2) === 0 ? { name: `n${draw.below(1000)}`, files: files as never } : {}),
    });
  },
  ResourceConfigSpec: (world, draw) => ({
    _typeName: 'ResourceConfigSpec',
    entity: entity(world, draw, 'ResourcePool', 'VirtualMachine'),
    cpuAllocation: allocation(),
    memoryAllocation: allocation(),
  }),
  ImportSpec: (world, draw) => ({
    _typeName: 'VirtualMachineImportSpec',
    configSpec: SPECS['VirtualMachineConfigSpec']?.(world, draw),
  }),
  Permission: (world, draw) => ({
    _typeName: 'Permission',
    principal: draw.pick(world.tenants).userName,
    group: false,
    roleId: draw.pick([-1, -2, -5]),
    propagate: true,
  }),
  DVSConfigSpec: (world, draw) => ({
    _typeName: 'VMwareDVSConfigSpec',
    configVersion: '0',
    ...(draw.below(2) === 0
      ? {
          host: [
            {
              _typeName: 'DistributedVirtualSwitchHostMemberConfigSpec',
              operation: draw.pick(['add', 'remove']),
              host: entity(world, draw, 'HostSystem'),
            },
          ],
        }
      : {}),
  }),
};
