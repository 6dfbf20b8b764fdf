// A malicious tenant calls every method of everything on a host; see compareChanges. A whole hostd over VMs that run nothing, with
// random pools, roles and permissions.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type MoRef, moRef, moRefKey, schema } from '@vivarium/vim';
import {
  type Callee,
  compareChanges,
  comparePrivileges,
  drawFor,
  fileNeeds,
  onDatastore,
} from '@vivarium/vmomi/testing/tenant';
import { IDENTITY_FILE } from '../datastore/volume-identity.ts';
import { refs } from '../inventory/refs.ts';
import { type HostWorld, hostWorld } from '../testing/tenant/world.ts';

const CALLS = Number(process.env['VIVARIUM_TENANT_CALLS'] ?? 1200);
/** What their arguments name matters. */
const OFTEN: ReadonlySet<string> = new Set([
  'Destroy_Task',
  'CreateVM_Task',
  'ImportVApp',
  'RegisterVM_Task',
  'ReconfigVM_Task',
  'MoveIntoResourcePool',
  'DestroyChildren',
  'UpdateChildResourceConfiguration',
  'DeleteDatastoreFile_Task',
  'MoveVirtualDisk_Task',
  'MakeDirectory',
]);

void test('a tenant changes nothing of a host that its permissions do not let it change', async (context) => {
  const draw = drawFor(context);
  const count = await compareChanges(
    callee(() => hostWorld(context, draw)),
    draw,
    CALLS,
  );
  context.diagnostic(JSON.stringify(count));
});

void test('every method of a host asks for the privileges that it needs, and for no others', async (context) => {
  const draw = drawFor(context);
  const count = await comparePrivileges(callee(() => hostWorld(context, draw)));
  context.diagnostic(JSON.stringify(count));
});

const callee = (newWorld: () => Promise<HostWorld>): Callee<HostWorld> => ({
  newWorld,
  often: OFTEN,
  along: ALONG,
  furtherNeeds,
  beside: (world) => new Map([...files(world), ...managers(world)]),
  mayTouchBeside(world, who, name, target) {
    if (name.startsWith(FILES_OF)) {
      const datastore = moRef('Datastore', name.slice(FILES_OF.length)) as MoRef;
      // Whoever changes a VM changes its files, wherever they are.
      return !/^(File|VirtualDisk)Manager$|Browser$/.test(target.type) || world.mayChange(who, datastore);
    }
    // Its networks tell of the ports of what runs.
    if (target.type === 'VirtualMachine') return true;
    return world.mayChange(who, refs.host as MoRef) || world.mayChange(who, world.root);
  },
  isUsedUp(world) {
    const left = new Set<string>(world.entities().map(({ type }) => type));
    return !['Datastore', 'Network', 'VirtualMachine'].every((type) => left.has(type));
  },
});

/** Paths name their datastore, whichever of the host's browsers is asked. */
const BROWSED: Readonly<Record<string, string>> = {
  SearchDatastore_Task: 'Datastore.Browse',
  SearchDatastoreSubFolders_Task: 'Datastore.Browse',
  DeleteFile: 'Datastore.DeleteFile',
};

const furtherNeeds: Callee<HostWorld>['furtherNeeds'] = (world, target, method, args) => {
  const datacenter = refs.datacenter as MoRef;
  const privilege = target.type === 'HostDatastoreBrowser' ? BROWSED[method] : undefined;
  if (privilege === undefined) return fileNeeds(world, target, method, args, datacenter);
  return onDatastore(world, datacenter, privilege, String(args['datastorePath']));
};

const FILES_OF = 'files of ';

/** Which there are on each datastore. */
function files({ directory }: HostWorld): [string, string][] {
  const roots = [join(directory, 'state', 'datastore1'), join(directory, 'shared'), join(directory, 'spare')];
  return roots.map((root) => {
    const { uuid } = JSON.parse(readFileSync(join(root, IDENTITY_FILE), 'utf8')) as { uuid: string };
    return [`${FILES_OF}${uuid}`, readdirSync(root, { recursive: true, encoding: 'utf8' }).sort().join()];
  });
}

/** What the managers of a host show: networks, storage, services. */
function managers({ service }: HostWorld): [string, string][] {
  return [...service.graph.all()]
    .filter(({ ref }) => /^Host\w+(System|Manager)$/.test(ref.type))
    .map(({ ref }) => {
      const object = service.graph.get(ref);
      const fields = schema.managed(ref.type)?.fields ?? [];
      return [moRefKey(ref), JSON.stringify(fields.map(({ name }) => object.getPath(name)))];
    });
}

/** What a VM does at the host's switch. */
const AT_THE_SWITCH = [
  'PowerOnVM_Task',
  'PowerOffVM_Task',
  'SuspendVM_Task',
  'ShutdownGuest',
  'ReconfigVM_Task',
  'Destroy_Task',
];

/** The host tells of the ports of what runs; whoever configures its storage has its datastores. */
const ALONG: Callee<HostWorld>['along'] = {
  ...Object.fromEntries(AT_THE_SWITCH.map((method) => [method, { VirtualMachine: ['HostSystem'] }])),
  RemoveDatastore: { any: ['Datastore'] },
  RemoveDatastoreEx_Task: { any: ['Datastore'] },
};
