// Managers that clients follow without asking whether they are there, and whose work is not built: each method is NotSupported.
import { type MoRef, moRef, type ServiceContent } from '@vivarium/vim';
import type { Service } from './service.ts';
import type { Personality } from './service-instance/well-known.ts';

interface Unbuilt {
  readonly guest: {
    readonly manager: MoRef<'GuestOperationsManager'>;
    readonly authManager: MoRef<'GuestAuthManager'>;
    readonly fileManager: MoRef<'GuestFileManager'>;
    readonly processManager: MoRef<'GuestProcessManager'>;
  };
  /** Managers without properties, by their names in the content. */
  readonly others: Partial<ServiceContent>;
}

const UNBUILT: Readonly<Record<Personality, Unbuilt>> = {
  HostAgent: {
    guest: {
      manager: moRef('GuestOperationsManager', 'ha-guest-operations-manager'),
      authManager: moRef('GuestAuthManager', 'ha-guest-operations-auth-manager'),
      fileManager: moRef('GuestFileManager', 'ha-guest-operations-file-manager'),
      processManager: moRef('GuestProcessManager', 'ha-guest-operations-process-manager'),
    },
    others: { vStorageObjectManager: moRef('HostVStorageObjectManager', 'ha-vstorage-object-manager') },
  },
  VirtualCenter: {
    guest: {
      manager: moRef('GuestOperationsManager', 'guestOperationsManager'),
      authManager: moRef('GuestAuthManager', 'guestOperationsAuthManager'),
      fileManager: moRef('GuestFileManager', 'guestOperationsFileManager'),
      processManager: moRef('GuestProcessManager', 'guestOperationsProcessManager'),
    },
    others: {
      alarmManager: moRef('AlarmManager', 'AlarmManager'),
      scheduledTaskManager: moRef('ScheduledTaskManager', 'ScheduledTaskManager'),
      customizationSpecManager: moRef('CustomizationSpecManager', 'CustomizationSpecManager'),
      storageResourceManager: moRef('StorageResourceManager', 'StorageResourceManager'),
      vStorageObjectManager: moRef('VcenterVStorageObjectManager', 'VStorageObjectManager'),
    },
  },
};

export function addUnbuiltManagers(service: Service): void {
  const { graph } = service;
  const { guest, others } = UNBUILT[service.instance];
  const { manager, ...parts } = guest;
  for (const ref of [...Object.values(parts), ...Object.values(others)]) graph.add(ref as MoRef, {}, {});
  graph.add(manager, parts, {});
  service.extendContent({ guestOperationsManager: manager, ...others });
}
