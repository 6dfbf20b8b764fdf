// com.vmware.vcenter.VM: list, get, create, delete, register, unregister.
import { type MoRef, moRef, type VirtualMachineConfigInfo } from '@vivarium/vim';
import type { Call, ManagedObject } from '@vivarium/vmomi';
import { type Operation, operation } from '../operation.ts';
import { id, optional, setOf, struct, type TypeOf, text } from '../shape.ts';
import { message, VapiError } from '../vapi-error.ts';
import type { InventoryReader } from './inventory-reader.ts';
import { listOperation } from './list-operation.ts';
import { resultRef, runMethod, runTask } from './run-method.ts';
import { createSpec } from './vm-create-shapes.ts';
import { configSpecOf } from './vm-create-spec.ts';
import { powerStateOf, vmInfoOf } from './vm-info.ts';
import { powerState, vmId, vmInfo, vmSummary } from './vm-shapes.ts';

const service = 'com.vmware.vcenter.VM';
const PATH = '/vcenter/vm';
const ONE = `${PATH}/{vm}`;

const registerSpec = struct(`${service}.register_spec`, {
  datastore: optional(id('Datastore')),
  path: optional(text),
  datastore_path: optional(text),
  name: optional(text),
  placement: optional(
    struct(`${service}.register_placement_spec`, {
      folder: optional(id('Folder')),
      resource_pool: optional(id('ResourcePool')),
      host: optional(id('HostSystem')),
      cluster: optional(id('ClusterComputeResource')),
    }),
  ),
});

export function vmOperations(reader: InventoryReader): Operation[] {
  const hostOf = (object: ManagedObject) => object.getPath('runtime.host') as MoRef<'HostSystem'> | undefined;
  return [
    listOperation(reader, {
      service,
      path: PATH,
      plural: 'virtual machines',
      types: ['VirtualMachine'],
      filter: {
        vms: setOf(vmId),
        names: setOf(text),
        folders: setOf(id('Folder')),
        datacenters: setOf(id('Datacenter')),
        hosts: setOf(id('HostSystem')),
        clusters: setOf(id('ClusterComputeResource')),
        resource_pools: setOf(id('ResourcePool')),
        power_states: setOf(powerState),
      },
      keys: {
        vms: ({ ref }) => ref.value,
        names: (object) => object.getPath('name') as string,
        folders: (object) => object.parent?.value,
        datacenters: (object) => reader.above(object, 'Datacenter')?.value,
        hosts: (object) => hostOf(object)?.value,
        clusters: (object) => reader.objectOf(hostOf(object))?.parent?.value,
        resource_pools: (object) => (object.getPath('resourcePool') as MoRef | undefined)?.value,
        power_states: (object) => powerStateOf(object.getPath('runtime.powerState')),
      },
      idField: 'vms',
      summary: vmSummary,
      most: 4000,
      // Templates are no virtual machines to this API.
      isListed: (object) => object.getPath('summary.config.template') !== true,
      summarize: (object) => ({
        vm: object.ref.value,
        name: object.getPath('name') as string,
        power_state: powerStateOf(object.getPath('runtime.powerState')),
        cpu_count: object.getPath('summary.config.numCpu') as number | undefined,
        memory_size_MiB: object.getPath('summary.config.memorySizeMB') as number | undefined,
      }),
    }),
    operation({
      service,
      name: 'get',
      summary: 'Tells about a virtual machine: identity, power, hardware.',
      params: { vm: vmId },
      result: vmInfo,
      errors: ['error', 'not_found', 'resource_inaccessible', 'service_unavailable', 'unauthorized'],
      doors: { rest: { method: 'GET', path: ONE }, api: { method: 'GET', path: ONE } },
      run({ vm }, { call }) {
        const object = reader.get(['VirtualMachine'], vm, call);
        const config = object.getPath('config') as VirtualMachineConfigInfo | undefined;
        if (!config) throw inaccessible(vm);
        const frozen = object.getPath('runtime.instantCloneFrozen') as boolean | undefined;
        return vmInfoOf(config, powerStateOf(object.getPath('runtime.powerState')), frozen);
      },
    }),
    operation({
      service,
      name: 'create',
      summary: 'Creates a virtual machine.',
      params: { spec: createSpec },
      result: vmId,
      errors: [
        'already_exists',
        'error',
        'invalid_argument',
        'not_found',
        'resource_inaccessible',
        'resource_in_use',
        'service_unavailable',
        'unable_to_allocate_resource',
        'unauthorized',
        'unsupported',
      ],
      doors: { rest: { method: 'POST', path: PATH }, api: { method: 'POST', path: PATH, body: 'spec' } },
      creates: true,
      run: ({ spec }, { call }) => create(reader, spec, call),
    }),
    operation({
      service,
      name: 'delete',
      summary: 'Deletes a virtual machine that is off, with its files.',
      params: { vm: vmId },
      errors: [
        'error',
        'not_allowed_in_current_state',
        'not_found',
        'resource_busy',
        'resource_inaccessible',
        'unauthorized',
      ],
      doors: { rest: { method: 'DELETE', path: ONE }, api: { method: 'DELETE', path: ONE } },
      async run({ vm }, { call }) {
        await runTask(call, reader.get(['VirtualMachine'], vm, call).ref, 'Destroy_Task');
      },
    }),
    operation({
      service,
      name: 'unregister',
      summary: 'Takes a virtual machine out of the inventory and leaves its files.',
      params: { vm: vmId },
      errors: ['not_allowed_in_current_state', 'not_found', 'resource_busy', 'service_unavailable', 'unauthorized'],
      doors: {
        rest: { method: 'POST', path: ONE, action: 'unregister' },
        api: { method: 'POST', path: ONE, action: 'unregister' },
      },
      async run({ vm }, { call }) {
        await runMethod(call, reader.get(['VirtualMachine'], vm, call).ref, 'UnregisterVM');
      },
    }),
    operation({
      service,
      name: 'register',
      summary: 'Puts a virtual machine whose files are on a datastore into the inventory.',
      params: { spec: registerSpec },
      result: vmId,
      errors: ['already_exists', 'error', 'invalid_argument', 'not_found', 'resource_inaccessible', 'unauthorized'],
      doors: {
        rest: { method: 'POST', path: PATH, action: 'register' },
        api: { method: 'POST', path: PATH, action: 'register', body: 'spec' },
      },
      run: ({ spec }, { call }) => register(reader, spec, call),
    }),
  ];
}

async function create(reader: InventoryReader, spec: TypeOf<typeof createSpec>, call: Call): Promise<string> {
  const { datastore, ...placement } = spec.placement ?? {};
  const { folder, pool, host } = placeOf(reader, placement, call);
  if (datastore === undefined) throw missing('spec.placement.datastore');
  const store = reader.get(['Datastore'], datastore, call).getPath('name') as string;
  const networks = {
    find(network: string) {
      const object = reader.find(['Network', 'DistributedVirtualPortgroup'], network);
      if (!object || !reader.mayRead(call, object)) return undefined;
      const owner = object.getPath('config.distributedVirtualSwitch') as MoRef | undefined;
      const switchUuid = reader.objectOf(owner)?.getPath('uuid') as string | undefined;
      return { name: object.getPath('name') as string, switchUuid };
    },
  };
  const config = configSpecOf(spec, store, networks);
  return resultRef(await runTask(call, folder, 'CreateVM_Task', { config, pool, host })).value;
}

interface Placement {
  readonly folder?: string | undefined;
  readonly resource_pool?: string | undefined;
  readonly host?: string | undefined;
  readonly cluster?: string | undefined;
}

/** A cluster or a host stands for its root pool. Error: invalid_argument without a folder or any place to run. */
function placeOf(reader: InventoryReader, { folder, resource_pool, host, cluster }: Placement, call: Call) {
  if (folder === undefined) throw missing('spec.placement.folder');
  const target = reader.get(['Folder'], folder, call);
  const machine = host === undefined ? undefined : reader.get(['HostSystem'], host, call);
  const compute =
    cluster === undefined ? reader.objectOf(machine?.parent) : reader.get(['ClusterComputeResource'], cluster, call);
  const root = compute?.getPath('resourcePool') as MoRef<'ResourcePool'> | undefined;
  const pool = resource_pool === undefined ? root : moRef('ResourcePool', resource_pool);
  if (!pool) throw missing('spec.placement.resource_pool');
  return { folder: target.ref, pool, host: machine?.ref };
}

async function register(reader: InventoryReader, spec: TypeOf<typeof registerSpec>, call: Call): Promise<string> {
  const { folder, pool, host } = placeOf(reader, spec.placement ?? {}, call);
  const path = datastorePath(reader, spec, call);
  const result = await runTask(call, folder, 'RegisterVM_Task', {
    path,
    name: spec.name,
    asTemplate: false,
    pool,
    host,
  });
  return resultRef(result).value;
}

/** Either given whole, '[datastore1] web/web.vmx', or as a datastore and a path on it. */
function datastorePath(reader: InventoryReader, spec: TypeOf<typeof registerSpec>, call: Call): string {
  if (spec.datastore_path !== undefined) return spec.datastore_path;
  if (spec.datastore === undefined || spec.path === undefined) throw missing('spec.datastore_path');
  const name = reader.get(['Datastore'], spec.datastore, call).getPath('name') as string;
  return `[${name}] ${spec.path.replace(/^\//, '')}`;
}

function missing(field: string): VapiError {
  const text = `'${field}' has to be given.`;
  return new VapiError('invalid_argument', message('com.vmware.api.vcenter.vm.missing_field', text, field));
}

function inaccessible(vm: string): VapiError {
  const text = `The configuration of the virtual machine with identifier '${vm}' cannot be accessed.`;
  return new VapiError('resource_inaccessible', message('com.vmware.api.vcenter.vm.inaccessible', text, vm));
}
