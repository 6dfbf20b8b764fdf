// Managers that every vCenter names and clients follow without asking, whose work is not built: each method is NotSupported.
import { moRef } from '@vivarium/vim';
import type { Service } from '@vivarium/vmomi';

const GUEST_OPERATIONS = moRef('GuestOperationsManager', 'guestOperationsManager');
const GUEST_AUTH = moRef('GuestAuthManager', 'guestOperationsAuthManager');
const GUEST_FILES = moRef('GuestFileManager', 'guestOperationsFileManager');
const GUEST_PROCESSES = moRef('GuestProcessManager', 'guestOperationsProcessManager');
const STORAGE_RESOURCES = moRef('StorageResourceManager', 'StorageResourceManager');

export function addUnbuiltManagers(service: Service): void {
  const { graph } = service;
  graph.add(GUEST_AUTH, {}, {});
  graph.add(GUEST_FILES, {}, {});
  graph.add(GUEST_PROCESSES, {}, {});
  const managers = { authManager: GUEST_AUTH, fileManager: GUEST_FILES, processManager: GUEST_PROCESSES };
  graph.add(GUEST_OPERATIONS, managers, {});
  graph.add(STORAGE_RESOURCES, {}, {});
  service.extendContent({ guestOperationsManager: GUEST_OPERATIONS, storageResourceManager: STORAGE_RESOURCES });
}
