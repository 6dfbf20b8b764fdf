// Adds a host: reaches it, makes itself trusted, takes in what it has. Undone as a whole when any of it fails.
// Source: vSphere Web Services API, Folder.AddStandaloneHost_Task and ClusterComputeResource.AddHost_Task.
import { type HostConnectSpec, MethodFault, type MoRef, make } from '@vivarium/vim';
import type { Center } from '../center.ts';
import type { HostLink } from '../host-link/host-link.ts';
import { HostUnreachable } from '../host-link/host-link.ts';
import { checkName } from '../inventory/entity-name.ts';
import type { InventoryOp } from '../inventory/inventory.ts';
import { removeHost } from './remove-host.ts';

const HTTPS_PORT = 443;

export interface AddHostOptions {
  /** Something in the datacenter that the host comes into. */
  readonly datacenterOf: MoRef;
  readonly isConnected: boolean;
  /** What else changes with it: it comes as a member of distributed switches. */
  readonly join?: (host: MoRef<'HostSystem'>) => readonly InventoryOp[];
  /** The compute resource that it comes into: one that is there, or one that comes with it. */
  readonly place: (name: string) => { readonly ref: MoRef<'ComputeResource'>; readonly ops: readonly InventoryOp[] };
}

export interface AddedHost {
  readonly host: MoRef<'HostSystem'>;
  readonly owner: MoRef<'ComputeResource'>;
}

/** Faults: SSLVerifyFault, InvalidLogin, NoHost, AlreadyConnected, DuplicateName, InvalidArgument, HostCommunication. */
export async function addHost(center: Center, spec: HostConnectSpec, options: AddHostOptions): Promise<AddedHost> {
  const { inventory, hosts, service } = center;
  const address = required(spec.hostName, 'hostName');
  const account = { userName: required(spec.userName, 'userName'), password: required(spec.password, 'password') };
  const port = spec.port !== undefined && spec.port > 0 ? spec.port : HTTPS_PORT;
  const name = checkName(address);
  requireNewName(center, name);
  const target = { address, port, thumbprint: spec.sslThumbprint === '' ? undefined : spec.sslThumbprint };
  await using undo = new AsyncDisposableStack();
  const link: HostLink = await center.dialer.introduce(target, account).catch((error: unknown) => {
    throw error instanceof HostUnreachable ? new MethodFault('NoHost', { name: address }) : error;
  });
  undo.defer(() => link.close());
  const uuid = await link.hardwareUuid();
  const added = await inventory.exclusively(async () => {
    requireNewName(center, name);
    requireNewMachine(center, uuid, address);
    const { ref: owner, ops } = options.place(name);
    const host = inventory.newRef('HostSystem');
    const record = {
      name,
      parent: owner as MoRef,
      address,
      port,
      thumbprint: target.thumbprint ?? '',
      uuid,
      isDisconnected: !options.isConnected,
      inMaintenanceMode: false,
    };
    await inventory.apply([...ops, { put: host, record }, ...(options.join?.(host) ?? [])]);
    return { host, owner };
  });
  undo.defer(() => removeHost(center, added.host));
  const session = hosts.open(added.host);
  session.connect(link);
  await session.whenConnected().catch((error: unknown) => {
    throw error instanceof HostUnreachable ? new MethodFault('HostCommunication', {}, error.message) : error;
  });
  if (!options.isConnected) await session.disconnect();
  undo.move();
  service.events.post({
    _typeName: 'HostAddedEvent',
    host: make('HostEventArgument', { name, host: added.host }),
  });
  return added;
}

function required(value: string | undefined, property: string): string {
  if (value === undefined || value === '') throw new MethodFault('InvalidArgument', { invalidProperty: property });
  return value;
}

function requireNewName({ inventory }: Center, name: string): void {
  for (const [host, record] of inventory.ofType('HostSystem')) {
    if (record.name === name) throw new MethodFault('AlreadyConnected', { name });
    void host;
  }
}

/** The same machine under two names would be two hosts of one set of VMs. */
function requireNewMachine({ inventory }: Center, uuid: string, address: string): void {
  if (uuid === '') return;
  for (const [, record] of inventory.ofType('HostSystem')) {
    if (record.uuid === uuid) {
      throw new MethodFault('AlreadyConnected', { name: address }, `${address} is here already, as ${record.name}`);
    }
  }
}
