// Imports as hostd offers them: OvfManager in the content, and the leases behind ResourcePool.ImportVApp.
import { moRef } from '@vivarium/vim';
import type { Service } from '@vivarium/vmomi';
import type { Datastores } from '../datastore/datastores.ts';
import { ovfManagerHandlers } from '../ovf-manager/ovf-manager.ts';
import { type ImportHost, Imports, type ImportsOptions } from './imports.ts';

export interface PublishImportsOptions extends Pick<ImportsOptions, 'endpoint'> {
  readonly service: Service;
  readonly datastores: Datastores;
  readonly host: ImportHost;
}

/** The caller gives ResourcePool.ImportVApp to `importVApp`, opens /nfc, and calls `undoAbandoned` when the VMs are loaded. */
export function publishImports({ service, datastores, host, endpoint }: PublishImportsOptions): Imports {
  const { graph, store, clock, random, log } = service;
  graph.add(OVF_MANAGER, { ovfImportOption: [], ovfExportOption: [] }, ovfManagerHandlers({ graph, datastores }));
  service.extendContent({ ovfManager: OVF_MANAGER });
  return new Imports({ graph, store, host, clock, random, log, endpoint });
}

const OVF_MANAGER = moRef('OvfManager', 'ha-ovf-manager');
