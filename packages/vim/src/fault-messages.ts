// English text for a fault when the thrower gives none. Where the text of vSphere is well known it is used, because
// people search for it and scripts match on it; the rest is in our own words.

import type { FaultTypes } from './generated/maps.ts';
import { schema } from './schema.ts';

type Fault = Readonly<Record<string, unknown>> & { readonly _typeName: string };
type Text = string | ((fault: Fault) => string);

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function ending(prefix: string, value: unknown): string {
  const shown = text(value);
  return shown === '' ? prefix : `${prefix}: ${shown}`;
}

const POWER_STATES: Readonly<Record<string, string>> = {
  poweredOn: 'Powered on',
  poweredOff: 'Powered off',
  suspended: 'Suspended',
};

function reference(value: unknown): string {
  const ref = value as { type?: unknown; value?: unknown } | undefined;
  return `vim.${text(ref?.type)}:${text(ref?.value)}`;
}

const TEXTS: Partial<Record<keyof FaultTypes, Text>> = {
  // Talking to the server
  InvalidLogin: 'Cannot complete login due to an incorrect user name or password.',
  InvalidLocale: 'The locale is not known.',
  NotAuthenticated: 'The session is not authenticated.',
  NoPermission: 'Permission to perform this operation was denied.',
  SecurityError: 'The operation is denied for reasons of security.',
  InvalidRequest: 'The request is not valid.',
  InvalidType: (fault) => ending('The type is not known', fault['argument']),
  MethodNotFound: (fault) => ending('The object has no such method', fault['method']),
  ManagedObjectNotFound: (fault) =>
    `The object '${reference(fault['obj'])}' has already been deleted or has not been completely created`,
  InvalidArgument: (fault) => `A specified parameter was not correct: ${text(fault['invalidProperty'])}`,
  InvalidProperty: (fault) => ending('The property does not exist', fault['name']),
  InvalidCollectorVersion: 'The version is not one that this collector gave out.',
  NotSupported: 'The operation is not supported on the object.',
  NotImplemented: 'The operation is not implemented.',
  RequestCanceled: 'The task was canceled by a user.',
  Timedout: 'Operation timed out.',
  SystemError: (fault) => ending('A general system error occurred', fault['reason']),
  UnexpectedFault: 'An unexpected error occurred.',
  HostCommunication: 'Cannot communicate with the host.',
  HostNotConnected: 'The host is not connected.',
  RestrictedVersion: 'The operation is not allowed by this edition.',
  // Names, values, states
  InvalidName: (fault) => `The name '${text(fault['name'])}' is invalid.`,
  DuplicateName: (fault) => `The name '${text(fault['name'])}' already exists.`,
  AlreadyExists: (fault) => `The specified key, name, or identifier '${text(fault['name'])}' already exists.`,
  NotFound: 'The object or item referred to could not be found.',
  InvalidFolder: 'The object cannot be moved to that folder.',
  OutOfBounds: (fault) => ending('A value is out of bounds', fault['argumentName']),
  LimitExceeded: (fault) => ending('A limit was exceeded', fault['property']),
  InvalidState: 'The operation is not allowed in the current state.',
  InvalidPowerState: (fault) => {
    const state = text(fault['existingState']);
    return `The attempted operation cannot be performed in the current state (${POWER_STATES[state] ?? state}).`;
  },
  InvalidHostState: 'The operation is not allowed in the current state of the host.',
  InvalidHostConnectionState: 'The operation is not allowed in the current connection state of the host.',
  TaskInProgress: 'Another task is already in progress.',
  QuestionPending: 'The virtual machine waits for the answer to a question.',
  ConcurrentAccess: 'The object was changed by somebody else meanwhile.',
  ResourceInUse: (fault) => `The resource '${text(fault['name'])}' is in use.`,
  ResourceNotAvailable: (fault) => ending('A resource is not available', fault['containerName']),
  InsufficientResourcesFault: 'The operation cannot be allowed because there are not enough resources.',
  InsufficientMemoryResourcesFault: 'The host does not have enough memory resources.',
  InsufficientCpuResourcesFault: 'The host does not have enough CPU resources.',
  // Virtual machines
  VmConfigFault: "The virtual machine's configuration is not valid.",
  GenericVmConfigFault: (fault) => text(fault['reason']) || "The virtual machine's configuration is not valid.",
  InvalidVmConfig: (fault) => ending("The virtual machine's configuration is not valid", fault['property']),
  InvalidDeviceSpec: (fault) => `Invalid configuration for device '${text(fault['deviceIndex'])}'.`,
  InvalidDeviceOperation: (fault) => `Invalid operation for device '${text(fault['deviceIndex'])}'.`,
  InvalidDeviceBacking: (fault) => `Incompatible device backing specified for device '${text(fault['deviceIndex'])}'.`,
  InvalidController: (fault) =>
    `The device '${text(fault['deviceIndex'])}' has no controller of key '${text(fault['controllerKey'])}'.`,
  MissingController: (fault) => `The device '${text(fault['deviceIndex'])}' needs a controller.`,
  DeviceNotFound: (fault) => `There is no device '${text(fault['deviceIndex'])}'.`,
  DeviceUnsupportedForVmPlatform: (fault) => `The device '${text(fault['deviceIndex'])}' is not supported.`,
  TooManyDevices: 'There are too many devices of this kind.',
  ToolsUnavailable: 'Cannot complete operation because VMware Tools is not running in this virtual machine.',
  GuestOperationsUnavailable: 'The guest operations agent could not be contacted.',
  InvalidGuestLogin: 'Failed to authenticate with the guest operating system using the supplied credentials.',
  // Files and datastores
  FileFault: (fault) => ending('An operation on a file failed', fault['file']),
  FileNotFound: (fault) => `File ${text(fault['file'])} was not found`,
  FileAlreadyExists: (fault) =>
    `Cannot complete the operation because the file or folder ${text(fault['file'])} already exists`,
  CannotAccessFile: (fault) => `Unable to access file ${text(fault['file'])}`,
  CannotCreateFile: (fault) => `Cannot create file ${text(fault['file'])}`,
  CannotDeleteFile: (fault) => `Cannot delete file ${text(fault['file'])}`,
  FileLocked: (fault) => `Unable to access file ${text(fault['file'])} since it is locked`,
  FileTooLarge: (fault) => `File ${text(fault['file'])} is larger than the datastore allows`,
  DirectoryNotEmpty: (fault) => `Folder ${text(fault['file'])} is not empty`,
  InvalidDiskFormat: 'The disk format is not known or not supported.',
  NoDiskSpace: (fault) => `Insufficient disk space on datastore '${text(fault['datastore'])}'.`,
  InvalidDatastore: (fault) => `Invalid datastore '${text(fault['name'])}'.`,
  InvalidDatastorePath: (fault) => `Invalid datastore path '${text(fault['datastorePath'])}'.`,
};

/** `HostInventoryFull` -> "Host inventory full." */
function words(type: string): string {
  const spaced = type.replace(/(?<=[a-z0-9])(?=[A-Z])/g, ' ').toLowerCase();
  return `${spaced.charAt(0).toUpperCase()}${spaced.slice(1)}.`;
}

/** Default text of a fault data object: of its type, else its `reason`, else its name in words. */
export function faultMessage(fault: Fault): string {
  const entry = TEXTS[fault._typeName as keyof FaultTypes];
  if (entry !== undefined) return typeof entry === 'string' ? entry : entry(fault);
  const reason = schema.field(fault._typeName, 'reason') === undefined ? '' : text(fault['reason']);
  return reason === '' ? words(fault._typeName) : reason;
}
