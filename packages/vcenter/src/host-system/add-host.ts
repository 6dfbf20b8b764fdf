// Adds a host: reaches it, makes itself trusted, takes in what it has. Undone as a whole when any of it fails.
// Source: vSphere Web Services API, Folder.AddStandaloneHost_Task and ClusterComputeResource.AddHost_Task.
import { type HostConnectSpec, MethodFault, type MoRef, make } from '@vivarium/vim';
import type { Call } from '@vivarium/vmomi';
import type { Center } from '../center.ts';
import type { HostLink } from '../host-link/host-link.ts';
import { HostUnreachable } from '../host-link/host-link.ts';
import { checkName } from '../inventory/entity-name.ts';
import type { EntityRecord } from '../inventory/entity-records.ts';
import type { InventoryOp } from '../inventory/inventory.ts';
import { moveIntoPool } from '../resource-pool/change-pools.ts';
import { releaseHost, removeHost } from './remove-host.ts';

const HTTPS_PORT = 443;

export interface AddHostOptions {
  /** Something in the datacenter that the host comes into. */
  readonly call: Call;
  readonly datacenterOf: MoRef;
  readonly isConnected: boolean;
  /** A key; '' and undefined leave the host in evaluation mode. */
  readonly license: string | undefined;
  /** Of a cluster: where its VMs come; default: the root pool. */
  readonly pool?: MoRef<'ResourcePool'> | undefined;
  /** The compute resource that it comes into: one that is there, or one that comes with it. */
  readonly place: (name: string) => { readonly ref: MoRef<'ComputeResource'>; readonly ops: readonly InventoryOp[] };
}

export interface AddedHost {
  readonly host: MoRef<'HostSystem'>;
  readonly owner: MoRef<'ComputeResource'>;
}

/** Faults: SSLVerifyFault, InvalidLogin, NoHost, AlreadyConnected, AlreadyBeingManaged (without force), DuplicateName, InvalidArgument, HostCommunication. */
export async function addHost(center: Center, spec: HostConnectSpec, options: AddHostOptions): Promise<AddedHost> {
  const { inventory, service } = center;
  const license = options.license || undefined;
  if (license !== undefined) requireLicense(center, license, options.call);
  const address = required(spec.hostName, 'hostName');
  const account = { userName: required(spec.userName, 'userName'), password: required(spec.password, 'password') };
  const port = spec.port !== undefined && spec.port > 0 ? spec.port : HTTPS_PORT;
  const name = checkName(address);
  requireNewName(center, name);
  const target = { address, port, thumbprint: spec.sslThumbprint === '' ? undefined : spec.sslThumbprint };
  await using undo = new AsyncDisposableStack();
  const claim = { instanceUuid: service.content.about.instanceUuid ?? '', force: spec.force };
  const link: HostLink = await center.dialer.introduce(target, account, claim).catch((error: unknown) => {
    throw error instanceof HostUnreachable ? new MethodFault('NoHost', { name: address }) : error;
  });
  undo.defer(() => link.close());
  undo.defer(() => releaseHost(center, link));
  const uuid = await link.hardwareUuid();
  const added = await inventory.exclusively(async () => {
    requireNewName(center, name);
    requireNewMachine(center, uuid, address);
    const { ref: owner, ops } = options.place(name);
    inventory.requireFreeName(owner, name);
    const host = inventory.newRef('HostSystem');
    const { thumbprint } = target;
    const { isConnected } = options;
    const record = newHostRecord({ name, owner, address, port, thumbprint, uuid, isConnected });
    await inventory.apply([...ops, { put: host, record }]);
    return { host, owner };
  });
  undo.defer(() => removeHost(center, added.host));
  await connectHost(center, added, link, { isConnected: options.isConnected });
  const found = center.vms.onHost(added.host).map(([ref]) => ref as MoRef);
  if (options.pool) await moveIntoPool(center, options.pool, found, options.call);
  if (license !== undefined) await service.licensing.assign(added.host.value, license);
  undo.move();
  return added;
}

/** The first connection of a host that is in the inventory: what it has is taken in. Faults: HostCommunication. */
export async function connectHost(
  { hosts, service, inventory }: Center,
  { host }: AddedHost,
  link: HostLink,
  { isConnected = true }: { readonly isConnected?: boolean } = {},
): Promise<void> {
  const session = hosts.open(host);
  session.connect(link);
  await session.whenConnected().catch((error: unknown) => {
    throw error instanceof HostUnreachable ? new MethodFault('HostCommunication', {}, error.message) : error;
  });
  if (!isConnected) await session.disconnect();
  const { name } = inventory.get(host);
  service.events.post({ _typeName: 'HostAddedEvent', host: make('HostEventArgument', { name, host }) });
}

/** `name`: checked; `uuid`: of its hardware. */
export function newHostRecord({
  name,
  owner,
  address,
  port,
  thumbprint,
  uuid,
  isConnected = true,
}: {
  readonly name: string;
  readonly owner: MoRef<'ComputeResource'>;
  readonly address: string;
  readonly port: number;
  readonly thumbprint?: string | undefined;
  readonly uuid: string;
  readonly isConnected?: boolean;
}): EntityRecord<'HostSystem'> {
  return {
    name,
    parent: owner as MoRef,
    address,
    port,
    thumbprint: thumbprint ?? '',
    uuid,
    isDisconnected: !isConnected,
    inMaintenanceMode: false,
  };
}

/** As for LicenseAssignmentManager.UpdateAssignedLicense. Faults: InvalidArgument, NoPermission. */
function requireLicense({ service }: Center, license: string, { session }: Call): void {
  service.licensing.check(license);
  const root = service.graph.get(service.rootFolder);
  service.authorization.check(session, root as never, 'Global.Licenses');
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
