// A malicious tenant calls every method of everything in a vCenter; see compareChanges. Random inventories, roles and permissions.
import { test } from 'node:test';
import { type Callee, compareChanges, comparePrivileges, drawFor, fileNeeds } from '@vivarium/vmomi/testing/tenant';
import { tenantWorld, type World } from '../testing/tenant/world.ts';

const CALLS = Number(process.env['VIVARIUM_TENANT_CALLS'] ?? 1200);
/** What their arguments name matters. */
const OFTEN: ReadonlySet<string> = new Set([
  'Destroy_Task',
  'MoveIntoFolder_Task',
  'CreateVM_Task',
  'ImportVApp',
  'RegisterVM_Task',
  'ReconfigVM_Task',
  'MoveIntoResourcePool',
  'DestroyChildren',
  'UpdateChildResourceConfiguration',
  'ReconfigureDvs_Task',
  'MoveInto_Task',
  'PowerOnMultiVM_Task',
]);

void test('a tenant changes nothing that its permissions do not let it change', async (context) => {
  const draw = drawFor(context);
  const count = await compareChanges(
    callee(() => tenantWorld(context, draw)),
    draw,
    CALLS,
  );
  context.diagnostic(JSON.stringify(count));
});

void test('every method of a vCenter asks for the privileges that it needs, and for no others', async (context) => {
  const draw = drawFor(context);
  const count = await comparePrivileges(callee(() => tenantWorld(context, draw)));
  context.diagnostic(JSON.stringify(count));
});

const callee = (newWorld: () => Promise<World>): Callee<World> => ({
  newWorld,
  often: OFTEN,
  along: ALONG,
  furtherNeeds: (world, target, method, args) => fileNeeds(world, target, method, args),
  beside({ hosts }) {
    const calls = hosts.flatMap((host) => host.calls).filter(({ target }) => !target.startsWith('ResourcePool'));
    return new Map([['calls of hosts', calls.map(({ method, target }) => `${target}.${method}`).join(' ')]]);
  },
  mayTouchBeside: () => true,
  isUsedUp(world) {
    const left = new Set<string>(world.entities().map(({ type }) => type));
    return !['HostSystem', 'Datastore', 'Network', 'VirtualMachine'].every((type) => left.has(type));
  },
});

const ON_HOSTS = [
  'VirtualApp',
  'Datastore',
  'Network',
  'DistributedVirtualPortgroup',
  'ResourcePool',
  'VirtualMachine',
];
/** What is on a host that leaves, what is in what is destroyed. */
const ALONG: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  Destroy_Task: {
    HostSystem: [...ON_HOSTS, 'ComputeResource'],
    ComputeResource: ON_HOSTS,
    ClusterComputeResource: ON_HOSTS,
    Datacenter: ON_HOSTS,
    Folder: ON_HOSTS,
    VmwareDistributedVirtualSwitch: ['DistributedVirtualPortgroup'],
    DistributedVirtualPortgroup: ['VmwareDistributedVirtualSwitch'],
    ResourcePool: ['ResourcePool', 'VirtualApp'],
  },
  DestroyNetwork: { any: ['VmwareDistributedVirtualSwitch'] },
  ReconfigureDVPortgroup_Task: { any: ['VmwareDistributedVirtualSwitch'] },
  PowerOnVApp_Task: { any: ['VirtualMachine'] },
  PowerOffVApp_Task: { any: ['VirtualMachine'] },
  SuspendVApp_Task: { any: ['VirtualMachine'] },
  DestroyChildren: { any: ['ResourcePool', 'VirtualApp'] },
  // A root pool has what its hosts have.
  DisconnectHost_Task: { any: ['ResourcePool'] },
  ReconnectHost_Task: { any: ['ResourcePool'] },
  EnterMaintenanceMode_Task: { any: ['ResourcePool'] },
  ExitMaintenanceMode_Task: { any: ['ResourcePool'] },
  MoveInto_Task: { any: ['VirtualMachine', 'ComputeResource', 'ResourcePool', 'VirtualApp'] },
  MoveHostInto_Task: { any: ['VirtualMachine', 'ComputeResource', 'ResourcePool', 'VirtualApp'] },
};
