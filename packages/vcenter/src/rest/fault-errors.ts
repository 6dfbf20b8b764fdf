// vim25's faults as vAPI's errors: a table, and the words for what people meet most. Pure.
import { type FaultTypes, type ManagedObjectReference, type MethodFault, schema } from '@vivarium/vim';
import { type Message, message, VapiError, type VapiErrorType } from './vapi-error.ts';

/** The entry of the fault's own type or of its nearest base counts. */
const ERRORS: Partial<Record<keyof FaultTypes, VapiErrorType>> = {
  NotAuthenticated: 'unauthenticated',
  InvalidLogin: 'unauthenticated',
  NoPermission: 'unauthorized',
  RestrictedVersion: 'unauthorized',
  ManagedObjectNotFound: 'not_found',
  NotFound: 'not_found',
  UserNotFound: 'not_found',
  FileNotFound: 'not_found',
  InvalidArgument: 'invalid_argument',
  InvalidName: 'invalid_argument',
  InvalidType: 'invalid_argument',
  InvalidProperty: 'invalid_argument',
  InvalidRequest: 'invalid_request',
  AlreadyExists: 'already_exists',
  DuplicateName: 'already_exists',
  FileAlreadyExists: 'already_exists',
  AlreadyConnected: 'already_in_desired_state',
  InvalidState: 'not_allowed_in_current_state',
  TaskInProgress: 'resource_busy',
  ToolsUnavailable: 'service_unavailable',
  ResourceInUse: 'resource_in_use',
  FileLocked: 'resource_in_use',
  InsufficientResourcesFault: 'unable_to_allocate_resource',
  LimitExceeded: 'unable_to_allocate_resource',
  NoDiskSpace: 'unable_to_allocate_resource',
  FileFault: 'resource_inaccessible',
  HostCommunication: 'service_unavailable',
  HostConnectFault: 'service_unavailable',
  HostNotConnected: 'service_unavailable',
  DatabaseError: 'service_unavailable',
  ConcurrentAccess: 'concurrent_change',
  Timedout: 'timed_out',
  RequestCanceled: 'canceled',
  NotSupported: 'unsupported',
  NotImplemented: 'unsupported',
};

export function vapiErrorOf(fault: MethodFault): VapiError {
  const data = fault.fault as unknown as Data;
  const summary = message(`vmsg.${data._typeName}.summary`, fault.message);
  const gone = notFoundMessage(data);
  const power = alreadyMessage(data);
  if (gone) return new VapiError('not_found', gone, summary);
  if (power) return new VapiError('already_in_desired_state', power, summary);
  return new VapiError(errorTypeOf(data._typeName), summary);
}

type Data = Readonly<Record<string, unknown>> & { readonly _typeName: string };

function errorTypeOf(faultType: string): VapiErrorType {
  for (let name: string | undefined = faultType; name !== undefined; name = schema.data(name)?.base) {
    const type = ERRORS[name as keyof FaultTypes];
    if (type !== undefined) return type;
  }
  return 'error';
}

/** What vCenter calls the resources: 'Virtual machine with identifier 'vm-1' does not exist.' */
const RESOURCES: Readonly<Record<string, readonly [id: string, words: string]>> = {
  VirtualMachine: ['vm', 'Virtual machine'],
  HostSystem: ['host', 'Host'],
  ClusterComputeResource: ['cluster', 'Cluster'],
  Datacenter: ['datacenter', 'Datacenter'],
  Datastore: ['datastore', 'Datastore'],
  Folder: ['folder', 'Folder'],
  Network: ['network', 'Network'],
  ResourcePool: ['resource_pool', 'Resource pool'],
};

function notFoundMessage({ _typeName, obj }: Data): Message | undefined {
  const { type, value } = (obj ?? {}) as Partial<ManagedObjectReference>;
  const resource = _typeName === 'ManagedObjectNotFound' && type !== undefined ? RESOURCES[type] : undefined;
  if (!resource || value === undefined) return undefined;
  const [name, words] = resource;
  return message(
    `com.vmware.api.vcenter.${name}.not_found`,
    `${words} with identifier '${value}' does not exist.`,
    value,
  );
}

const POWER_WORDS: Readonly<Record<string, readonly [id: string, words: string]>> = {
  poweredOn: ['already_powered_on', 'powered on'],
  poweredOff: ['already_powered_off', 'powered off'],
  suspended: ['already_suspended', 'suspended'],
};

function alreadyMessage({ _typeName, requestedState, existingState }: Data): Message | undefined {
  if (_typeName !== 'InvalidPowerState' || requestedState !== existingState) return undefined;
  const words = POWER_WORDS[String(existingState)];
  return words && message(`com.vmware.api.vcenter.vm.power.${words[0]}`, `Virtual machine is already ${words[1]}.`);
}
