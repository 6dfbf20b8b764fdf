// The HostSystem object and the host's managers. What the host is like comes from its reports.
// Source: vSphere Web Services API, HostSystem.
import { type Handlers, MethodFault, type MoRef, make, type Properties } from '@vivarium/vim';
import type { Call } from '@vivarium/vmomi';
import type { Center } from '../center.ts';
import { requireBrowsed } from '../datastore/datastore-face.ts';
import { HOST_MANAGERS } from '../host-link/what-to-watch.ts';
import { browserOf, managerOf } from '../host-sync/host-mirror.ts';
import type { EntityRecord } from '../inventory/entity-records.ts';
import type { Companion, EntityFace } from '../publish/publisher.ts';
import { disconnectHost, reconnectHost } from './host-connection.ts';
import { FORWARDED_MANAGER_METHODS } from './manager-methods.ts';
import { rememberHost } from './remember-host.ts';
import { removeHost, requireRemovable } from './remove-host.ts';

const FORWARDED = [
  'QueryHostConnectionInfo',
  'QueryMemoryOverhead',
  'RebootHost_Task',
  'RetrieveHardwareUptime',
  'ShutdownHost_Task',
] as const;

export function hostFace(center: Center): EntityFace<'HostSystem'> {
  return {
    handlers: (ref) => hostMethods(center, ref),
    properties: (ref, record) => unreported(ref, record),
    listings: ({ parent }) => [{ owner: parent, property: 'host' }],
    companions: (ref) => [
      ...Object.entries(HOST_MANAGERS).map(([name, type]) => manager(center, ref, name, type)),
      hostBrowser(center, ref),
    ],
  };
}

function hostMethods(center: Center, host: MoRef<'HostSystem'>): Handlers<'HostSystem', Call> {
  const { service, forwarder } = center;
  const task = (method: string, call: Call, work: () => Promise<unknown>) =>
    service.tasks.start({ entity: host, descriptionId: `HostSystem.${method}`, call }, work);
  const forwarded = FORWARDED.map((method) => [
    method,
    (args: object, call: Call) => forwarder.forward(host, host, method, args, call),
  ]);
  const maintenance =
    (method: 'EnterMaintenanceMode_Task' | 'ExitMaintenanceMode_Task', isIn: boolean) => (args: object, call: Call) =>
      service.tasks.start(
        {
          entity: host,
          descriptionId: `HostSystem.${isIn ? 'enterMaintenanceMode' : 'exitMaintenanceMode'}`,
          call,
          cancelable: true,
        },
        async (handle) => {
          const around = { call, task: handle.ref, signal: handle.signal, progress: handle.progress };
          await forwarder.run(host, { host, method, args }, around);
          await rememberHost(center, host, { inMaintenanceMode: isIn });
        },
      );
  return {
    ...(Object.fromEntries(forwarded) as Handlers<'HostSystem', Call>),
    EnterMaintenanceMode_Task: maintenance('EnterMaintenanceMode_Task', true),
    ExitMaintenanceMode_Task: maintenance('ExitMaintenanceMode_Task', false),
    // There is no TPM, so there is nothing to attest.
    QueryTpmAttestationReport: () => undefined,
    DisconnectHost_Task: (_args, call) => task('disconnect', call, () => disconnectHost(center, host)),
    ReconnectHost_Task: ({ cnxSpec }, call) => task('reconnect', call, () => reconnectHost(center, host, cnxSpec)),
    Destroy_Task: (_args, call) => {
      if (center.inventory.get(host).parent.type !== 'ClusterComputeResource') {
        throw new MethodFault('NotSupported', {}, 'a standalone host goes with its ComputeResource');
      }
      return task('destroy', call, async () => {
        requireRemovable(center, host);
        await removeHost(center, host);
      });
    },
  };
}

/** The host's manager under our name; what it does, the host does. */
function manager(center: Center, host: MoRef<'HostSystem'>, name: string, type: string): Companion {
  const ref = managerOf(host, name, type) as MoRef;
  const methods = FORWARDED_MANAGER_METHODS[type] ?? [];
  const handlers = methods.map((method) => [
    method,
    (args: object, call: Call) => center.forwarder.forward(ref, host, method, args, call),
  ]);
  return { ref, properties: {}, handlers: Object.fromEntries(handlers) as object };
}

/** Searches all datastores of the host. */
function hostBrowser(center: Center, host: MoRef<'HostSystem'>): Companion {
  const ref = browserOf(host) as MoRef;
  const handlers = ['SearchDatastore_Task', 'SearchDatastoreSubFolders_Task'].map((method) => [
    method,
    (args: object, call: Call) => {
      requireBrowsed(center, center.lists.members(host, 'datastore') as MoRef[] as MoRef<'Datastore'>[], args);
      return center.forwarder.forward(ref, host, method, args, call);
    },
  ]);
  return { ref, properties: { datastore: [], supportedType: [] }, handlers: Object.fromEntries(handlers) as object };
}

function unreported(ref: MoRef<'HostSystem'>, record: EntityRecord<'HostSystem'>): Properties<'HostSystem'> {
  const runtime = make('HostRuntimeInfo', {
    connectionState: record.isDisconnected ? 'disconnected' : 'notResponding',
    powerState: 'unknown',
    inMaintenanceMode: record.inMaintenanceMode,
  });
  return {
    runtime,
    summary: make('HostListSummary', {
      host: ref,
      runtime,
      config: make('HostConfigSummary', {
        name: record.name,
        port: record.port,
        sslThumbprint: record.thumbprint,
        vmotionEnabled: false,
        faultToleranceEnabled: false,
      }),
      quickStats: make('HostListSummaryQuickStats', {}),
      overallStatus: 'gray',
      rebootRequired: false,
    }),
    configManager: make('HostConfigManager', {}),
    vm: [],
    datastore: [],
    network: [],
    datastoreBrowser: browserOf(ref),
  } as Properties<'HostSystem'>;
}
