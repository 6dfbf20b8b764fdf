// com.vmware.vcenter.host.
import { isFault, MethodFault, type MoRef, make, moRef } from '@vivarium/vim';
import type { Call, ManagedObject } from '@vivarium/vmomi';
import { type Operation, operation } from '../operation.ts';
import { flag, id, integer, oneOf, optional, secret, setOf, struct, type TypeOf, text } from '../shape.ts';
import { message, VapiError } from '../vapi-error.ts';
import type { InventoryReader } from './inventory-reader.ts';
import { listOperation } from './list-operation.ts';
import { resultRef, runTask } from './run-method.ts';

const service = 'com.vmware.vcenter.host';
const PATH = '/vcenter/host';
const ONE = `${PATH}/{host}`;
const hostId = id('HostSystem');

const connectionState = oneOf(`${service}.connection_state`, ['CONNECTED', 'DISCONNECTED', 'NOT_RESPONDING']);
const powerState = oneOf(`${service}.power_state`, ['POWERED_ON', 'POWERED_OFF', 'STANDBY']);
const createSpec = struct(`${service}.create_spec`, {
  hostname: text,
  port: optional(integer),
  user_name: text,
  password: secret,
  folder: optional(id('Folder')),
  thumbprint_verification: oneOf(`${service}.create_spec.thumbprint_verification`, ['NONE', 'THUMBPRINT']),
  thumbprint: optional(text),
  force_add: optional(flag),
});

const CONNECTION = {
  connected: 'CONNECTED',
  disconnected: 'DISCONNECTED',
  notResponding: 'NOT_RESPONDING',
} as const;
const POWER = { poweredOn: 'POWERED_ON', poweredOff: 'POWERED_OFF', standBy: 'STANDBY' } as const;

export function hostOperations(reader: InventoryReader): Operation[] {
  const inCluster = (object: ManagedObject) => object.parent?.type === 'ClusterComputeResource';
  const uuidOf = (object: ManagedObject) => object.getPath('summary.hardware.uuid') as string | undefined;
  return [
    listOperation(reader, {
      service,
      path: PATH,
      plural: 'hosts',
      types: ['HostSystem'],
      filter: {
        hosts: setOf(hostId),
        names: setOf(text),
        folders: setOf(id('Folder')),
        datacenters: setOf(id('Datacenter')),
        standalone: flag,
        clusters: setOf(id('ClusterComputeResource')),
        connection_states: setOf(connectionState),
        host_uuids: setOf(text),
      },
      keys: {
        hosts: ({ ref }) => ref.value,
        names: (object) => object.getPath('name') as string,
        // What a folder holds is the compute resource.
        folders: (object) => reader.objectOf(object.parent)?.parent?.value,
        datacenters: (object) => reader.above(object, 'Datacenter')?.value,
        standalone: (object) => String(!inCluster(object)),
        clusters: (object) => object.parent?.value,
        connection_states: connectionOf,
        host_uuids: uuidOf,
      },
      idField: 'hosts',
      summary: struct(`${service}.summary`, {
        host: hostId,
        name: text,
        connection_state: connectionState,
        power_state: optional(powerState),
        host_uuid: optional(text),
      }),
      most: 2500,
      summarize: (object) => {
        const connection = connectionOf(object);
        const power = POWER[object.getPath('runtime.powerState') as keyof typeof POWER];
        return {
          host: object.ref.value,
          name: object.getPath('name') as string,
          connection_state: connection,
          // Known of connected hosts only.
          power_state: connection === 'CONNECTED' ? power : undefined,
          host_uuid: uuidOf(object),
        };
      },
    }),
    operation({
      service,
      name: 'create',
      summary: 'Adds a standalone host to a folder.',
      params: { spec: createSpec },
      result: hostId,
      errors: ['already_exists', 'error', 'invalid_argument', 'not_found', 'service_unavailable', 'unauthorized'],
      doors: { rest: { method: 'POST', path: PATH }, api: { method: 'POST', path: PATH, body: 'spec' } },
      creates: true,
      run: ({ spec }, { call }) => addHost(reader, spec, call),
    }),
    operation({
      service,
      name: 'delete',
      summary: 'Removes a standalone host from the inventory.',
      params: { host: hostId },
      errors: ['error', 'not_found', 'resource_in_use', 'service_unavailable', 'unauthorized'],
      doors: { rest: { method: 'DELETE', path: ONE }, api: { method: 'DELETE', path: ONE } },
      async run({ host }, { call }) {
        const object = reader.get(['HostSystem'], host, call);
        if (inCluster(object) || !object.parent)
          throw new MethodFault('ResourceInUse', { type: 'HostSystem', name: object.getPath('name') as string });
        await runTask(call, object.parent, 'Destroy_Task');
      },
    }),
    connectOperation(reader, 'connect'),
    connectOperation(reader, 'disconnect'),
  ];
}

function connectOperation(reader: InventoryReader, name: 'connect' | 'disconnect'): Operation {
  const [method, there, words] =
    name === 'connect'
      ? (['ReconnectHost_Task', 'CONNECTED', 'connected'] as const)
      : (['DisconnectHost_Task', 'DISCONNECTED', 'disconnected'] as const);
  return operation({
    service,
    name,
    summary: name === 'connect' ? 'Connects a host that is in the inventory.' : 'Ends the connection to a host.',
    params: { host: hostId },
    errors: ['already_in_desired_state', 'error', 'not_found', 'service_unavailable', 'unauthorized'],
    doors: {
      rest: { method: 'POST', path: `${ONE}/${name}` },
      api: { method: 'POST', path: ONE, action: name },
    },
    async run({ host }, { call }) {
      const object = reader.get(['HostSystem'], host, call);
      if (connectionOf(object) === there) {
        const said = message(`com.vmware.api.vcenter.host.already_${words}`, `The host is already ${words}.`, host);
        throw new VapiError('already_in_desired_state', said);
      }
      await runTask(call, object.ref, method);
    },
  });
}

async function addHost(reader: InventoryReader, spec: TypeOf<typeof createSpec>, call: Call): Promise<string> {
  const folder = moRef('Folder', spec.folder ?? onlyHostFolder(reader, call)) as MoRef;
  const isPinned = spec.thumbprint_verification === 'THUMBPRINT';
  if (isPinned && spec.thumbprint === undefined)
    throw new MethodFault('InvalidArgument', { invalidProperty: 'spec.thumbprint' });
  const add = (sslThumbprint: string | undefined) =>
    runTask(call, folder, 'AddStandaloneHost_Task', {
      spec: make('HostConnectSpec', {
        hostName: spec.hostname,
        port: spec.port,
        userName: spec.user_name,
        password: spec.password,
        force: spec.force_add ?? false,
        sslThumbprint,
      }),
      addConnected: true,
    });
  const compute = reader.objectOf(resultRef(await (isPinned ? add(spec.thumbprint) : addTrusting(add))));
  const [host] = (compute?.getPath('host') ?? []) as readonly MoRef[];
  if (!host) throw new Error('a compute resource was made without a host');
  return host.value;
}

/** Takes whatever certificate the host shows: that is what thumbprint verification NONE asks for. */
async function addTrusting(add: (thumbprint: string | undefined) => Promise<unknown>): Promise<unknown> {
  try {
    return await add(undefined);
  } catch (error) {
    if (!isFault(error, 'SSLVerifyFault')) throw error;
    return add(error.fault.thumbprint);
  }
}

/** Without a folder the API means the host folder of the only datacenter. Fault: InvalidArgument when there are several. */
function onlyHostFolder(reader: InventoryReader, call: Call): string {
  const [datacenter, ...more] = reader.all(['Datacenter']).filter((object) => reader.mayRead(call, object));
  const folder = datacenter?.getPath('hostFolder') as MoRef | undefined;
  if (!folder || more.length > 0) throw new MethodFault('InvalidArgument', { invalidProperty: 'spec.folder' });
  return folder.value;
}

function connectionOf(object: ManagedObject): (typeof CONNECTION)[keyof typeof CONNECTION] {
  return CONNECTION[object.getPath('runtime.connectionState') as keyof typeof CONNECTION] ?? 'NOT_RESPONDING';
}
