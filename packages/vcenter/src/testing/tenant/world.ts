// For tests: a random inventory with random roles, users, groups and permissions, behind all of vCenter's doors.
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { normalPoolAllocation } from '@vivarium/drs/resource-pool';
import { type ManagedTypeName, MethodFault, type MoRef, make, moRef, moRefKey, schema } from '@vivarium/vim';
import type { Call, Session } from '@vivarium/vmomi';
import { type FastifyInstance, fastify } from 'fastify';
import { openDoors } from '../../doors.ts';
import { ROOT_FOLDER } from '../../folder/create-entity.ts';
import { FakeHost } from '../fake-host.ts';
import { type TestCenter, testCenter } from '../test-center.ts';
import { SPEECHES, type Speech } from './ask.ts';
import type { Draw } from './draw.ts';
import { type Key, may, mayChange, NO_ACCESS, type Person, type Rules } from './oracle.ts';

export const ROOT = ROOT_FOLDER as MoRef;

export interface Tenant extends Person {
  readonly session: Session;
  readonly call: Call;
}

export interface World {
  readonly center: TestCenter;
  /** Where vCenter is served, on loopback. */
  readonly url: string;
  /** What its clients speak now. */
  speech: Speech;
  readonly hosts: readonly FakeHost[];
  readonly tenants: readonly Tenant[];
  readonly admin: Tenant;
  /** The inventory has changed: what the oracle has said is no longer true. */
  changed(): void;
  may(who: Person, entity: MoRef, privilege: string): boolean;
  mayChange(who: Person, entity: MoRef): boolean;
  /** Everything of the inventory. */
  entities(): MoRef[];
  /** Some of it. */
  some(): MoRef[];
  /** A VM, datastore or network moves to another folder, a VM to another pool, a folder into another. */
  changeInventory(): Promise<void>;
  /** One permission more, or another role in its place, or one less. */
  changePermissions(): Promise<void>;
}

/** Entities that are asked for one by one. */
const SOME = 12;
const MOVABLE: readonly string[] = ['VirtualMachine', 'Datastore', 'Network', 'Folder', 'ClusterComputeResource'];
/** Anonymous and View. */
const UNGRANTABLE: readonly number[] = [-4, -3];

export async function tenantWorld(context: TestContext, draw: Draw): Promise<World> {
  const center = await testCenter(context);
  const { service } = center;
  const app = fastify({ forceCloseConnections: true }) as unknown as FastifyInstance;
  service.register(app);
  for (const open of await openDoors(center)) open(app);
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  context.after(() => app.close());
  const hosts = await buildInventory(center, draw);
  const open = (person: Person): Tenant => {
    const origin = { ipAddress: '127.0.0.1', userAgent: 'test', locale: 'en' };
    const session = service.sessions.open({ ...person, fullName: person.userName }, origin);
    return { ...person, session, call: callOf(center, session) };
  };
  const groups = ['g0', 'g1', 'g2', 'g3'];
  const tenants = ['u0', 'u1', 'u2', 'u3', 'u4'].map((userName) =>
    open({ userName, groups: groups.filter(() => draw.below(2) === 0) }),
  );
  const admin = open({ userName: 'root', groups: [] });
  const { authorization } = service;
  await makeRoles(center, draw);
  /** What was set, as it is kept; what follows from it is for the oracle to say. */
  const rules = (): Rules => ({
    tree: { root: moRefKey(ROOT), parentsOf: (entity) => parentsOf(center, entity) },
    permissions: authorization.allPermissions().map(({ entity, principal, isGroup, roleId, propagate }) => ({
      entity: moRefKey(entity),
      principal,
      isGroup,
      role: roleId === -5 ? NO_ACCESS : String(roleId),
      propagate,
    })),
    roles: new Map(authorization.listRoles().map(({ roleId, privileges }) => [String(roleId), privileges])),
  });
  let now = rules();
  const said = new Map<string, boolean>();
  const once = (who: Person, question: string, answer: () => boolean): boolean => {
    const key = `${who.userName} ${question}`;
    let known = said.get(key);
    if (known === undefined) said.set(key, (known = answer()));
    return known;
  };
  const changed = () => {
    now = rules();
    said.clear();
  };
  const world: World = {
    center,
    url,
    speech: draw.pick(SPEECHES),
    hosts,
    tenants,
    admin,
    changed,
    may: (who, entity, privilege) =>
      once(who, `${privilege} ${moRefKey(entity)}`, () => may(now, who, moRefKey(entity), privilege)),
    mayChange: (who, entity) => once(who, moRefKey(entity), () => mayChange(now, who, moRefKey(entity))),
    entities: () =>
      [...service.graph.all()].map(({ ref }) => ref).filter(({ type }) => schema.isSubtype(type, 'ManagedEntity')),
    some() {
      const all = world.entities();
      return Array.from({ length: SOME }, () => draw.pick(all));
    },
    async changeInventory() {
      const all = world.entities();
      const moved = draw.pick(all.filter(({ type }) => MOVABLE.includes(type)));
      const isToPool = moved.type === 'VirtualMachine' && draw.below(2) === 0;
      const target = draw.pick(all.filter(({ type }) => type === (isToPool ? 'ResourcePool' : 'Folder')));
      const list = [moved];
      const move = isToPool
        ? center.invoke(target, 'MoveIntoResourcePool', { list })
        : center.task(target, 'MoveIntoFolder_Task', { list });
      // Where it cannot go it stays.
      await move.catch((error: unknown) => assert.ok(error instanceof MethodFault, String(error)));
      changed();
    },
    async changePermissions() {
      const own = authorization.allPermissions().filter(({ principal }) => principal !== 'root');
      if (own.length > 4 && draw.below(3) === 0) {
        const { entity, principal, isGroup } = draw.pick(own);
        await authorization.revoke(entity, principal, isGroup);
      } else {
        const isGroup = draw.below(2) === 0;
        const roleId = draw.below(6) === 0 ? -5 : draw.pick(authorization.listRoles()).roleId;
        const permission = {
          principal: draw.pick(isGroup ? groups : tenants.map(({ userName }) => userName)),
          isGroup,
          roleId: UNGRANTABLE.includes(roleId) ? -2 : roleId,
          propagate: draw.below(3) > 0,
        };
        await authorization.grant(draw.pick(world.entities()), [permission]);
      }
      changed();
    },
  };
  for (let count = 0; count < 24; count++) await world.changePermissions();
  return world;
}

export function callOf({ service }: TestCenter, session: Session): Call {
  return {
    session,
    version: schema.versions[0] ?? schema.legacyVersion,
    signal: new AbortController().signal,
    service,
    remoteAddress: '127.0.0.1',
  };
}

export function refOf(key: Key): MoRef {
  const at = key.indexOf(':');
  return { type: key.slice(0, at), value: key.slice(at + 1) } as MoRef;
}

/** What is gone, or hangs nowhere, is below the root. */
function parentsOf({ service }: TestCenter, entity: Key): Key[] {
  const ref = refOf(entity);
  if (entity === moRefKey(ROOT)) return [];
  const object = service.graph.find(ref);
  const parent = (object?.getPath('parent') ?? object?.getPath('parentVApp')) as MoRef | undefined;
  const pool = ref.type === 'VirtualMachine' ? (object?.getPath('resourcePool') as MoRef | undefined) : undefined;
  return [parent ?? ROOT, ...(pool ? [pool] : [])].map(moRefKey);
}

/** Roles of few privileges, of half of them, and of all that concern VMs and datastores. */
async function makeRoles({ service: { authorization } }: TestCenter, draw: Draw): Promise<void> {
  const everything = [...authorization.role(-1).privileges];
  const some = (share: number) => everything.filter(() => draw.below(share) === 0);
  await authorization.addRole('few', some(6));
  await authorization.addRole('half', some(2));
  const machines = everything.filter((id) => /^(VirtualMachine|Datastore|Network|Resource)\./.test(id));
  await authorization.addRole('machines', machines);
}

async function buildInventory(center: TestCenter, draw: Draw): Promise<FakeHost[]> {
  const { service } = center;
  const hosts: FakeHost[] = [];
  const folderIn = async (parents: MoRef[], name: string) =>
    parents.push(await center.invoke<MoRef>(draw.pick(parents), 'CreateFolder', { name }));
  const newHost = (datacenter: string) => {
    const address = `esx${hosts.length}.${datacenter}`;
    const datastores = {
      datastore1: `ds:///vmfs/volumes/${address}/`,
      shared: `ds:///vmfs/volumes/shared-${datacenter}/`,
    };
    const host = new FakeHost(address, { datastores });
    hosts.push(host);
    center.dialer.add(host);
    const spec = { hostName: address, userName: 'root', password: 'right', force: false };
    return { host, spec };
  };
  const top: MoRef[] = [ROOT];
  await folderIn(top, 'site');
  for (const dc of ['DC0', 'DC1']) {
    const datacenter = await center.invoke<MoRef>(draw.pick(top), 'CreateDatacenter', { name: dc });
    const folders = (['vm', 'host', 'datastore', 'network'] as const).map(
      (kind) => [center.read<MoRef>(datacenter, `${kind}Folder`)] as MoRef[],
    );
    for (const [index, kind] of folders.entries()) {
      for (let count = 1 + draw.below(3); count > 0; count--) await folderIn(kind, `${dc}-f${index}${count}`);
    }
    const [vmFolders = [], hostFolders = [], datastoreFolders = [], networkFolders = []] = folders;
    const pools: MoRef[] = [];
    const makePools = async (root: MoRef) => {
      const own = [root];
      for (let count = draw.below(3); count > 0; count--) {
        own.push(await center.invoke(draw.pick(own), 'CreateResourcePool', { name: `p${count}`, spec: poolSpec() }));
      }
      pools.push(...own);
    };
    for (const cluster of dc === 'DC0' ? ['C0', 'C1'] : ['C0']) {
      const spec = { _typeName: 'ClusterConfigSpecEx' };
      const ref = await center.invoke<MoRef>(draw.pick(hostFolders), 'CreateClusterEx', {
        name: `${dc}${cluster}`,
        spec,
      });
      for (let count = 1 + draw.below(2); count > 0; count--) {
        await center.task(ref, 'AddHost_Task', { spec: newHost(dc).spec, asConnected: true });
      }
      await makePools(center.read(ref, 'resourcePool'));
    }
    const alone = { spec: newHost(dc).spec, addConnected: true };
    const { value } = await center.task<MoRef>(draw.pick(hostFolders), 'AddStandaloneHost_Task', alone);
    const alonePool = center.read<MoRef>(moRef('ComputeResource', value) as MoRef, 'resourcePool');
    await makePools(alonePool);
    const app = await center.invoke<MoRef>(alonePool, 'CreateVApp', {
      name: `${dc}-app`,
      resSpec: poolSpec(),
      configSpec: make('VAppConfigSpec', {}),
      vmFolder: draw.pick(vmFolders),
    });
    await center.task(app, 'CreateChildVM_Task', { config: vmSpec(`${dc}-app-vm`) });
    for (let count = 0; count < 6; count++) {
      const config = vmSpec(`${dc}-vm${count}`);
      const pool = draw.pick(pools);
      const vm = await center.task<MoRef>(draw.pick(vmFolders), 'CreateVM_Task', { config, pool });
      if (draw.below(2) === 0) await center.task(moRef('VirtualMachine', vm.value) as MoRef, 'PowerOnVM_Task');
    }
    const configSpec = make('VMwareDVSConfigSpec', { name: `${dc}-dvs` });
    const dvs = await center.task<MoRef>(draw.pick(networkFolders), 'CreateDVS_Task', {
      spec: make('DVSCreateSpec', { configSpec }),
    });
    const spec = make('DVPortgroupConfigSpec', { name: `${dc}-pg`, numPorts: 4 });
    await center.task(moRef('VmwareDistributedVirtualSwitch', dvs.value) as MoRef, 'CreateDVPortgroup_Task', { spec });
    const within = (type: ManagedTypeName) =>
      [...service.graph.ofType(type)].filter((object) => isBelow(center, object.ref as MoRef, datacenter));
    for (const { ref } of within('Datastore')) {
      await moveInto(center, draw.pick(datastoreFolders), ref as MoRef);
    }
    for (const { ref } of within('Network')) await moveInto(center, draw.pick(networkFolders), ref as MoRef);
  }
  return hosts;
}

function poolSpec() {
  return make('ResourceConfigSpec', {
    cpuAllocation: normalPoolAllocation('cpu'),
    memoryAllocation: normalPoolAllocation('memory'),
  });
}

function vmSpec(name: string) {
  const files = make('VirtualMachineFileInfo', { vmPathName: '[shared]' });
  return make('VirtualMachineConfigSpec', { name, guestId: 'otherGuest', files });
}

async function moveInto(center: TestCenter, folder: MoRef, ref: MoRef): Promise<void> {
  if (center.read<MoRef>(ref, 'parent').value === folder.value) return;
  await center.task(folder, 'MoveIntoFolder_Task', { list: [ref] });
}

function isBelow(center: TestCenter, ref: MoRef, above: MoRef): boolean {
  for (let at: MoRef | undefined = ref; at; at = center.service.graph.find(at)?.parent) {
    if (at.value === above.value) return true;
  }
  return false;
}
