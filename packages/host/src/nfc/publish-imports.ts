// Imports as hostd offers them: OvfManager in the content, and the leases behind ResourcePool.ImportVApp.
import { moRef } from '@vivarium/vim';
import type { ObjectGraph, Service } from '@vivarium/vmomi';
import type { Datastores } from '../datastore/datastores.ts';
import { type OvfContext, ovfManagerHandlers } from '../ovf-manager/ovf-manager.ts';
import { type ImportHost, Imports, type ImportsOptions } from './imports.ts';

export interface PublishImportsOptions extends Pick<ImportsOptions, 'endpoint'> {
  readonly service: Service;
  readonly datastores: Datastores;
  readonly host: ImportHost;
}

/** The caller gives ResourcePool.ImportVApp to `importVApp`, opens /nfc, and calls `undoAbandoned` when the VMs are loaded. */
export function publishImports({ service, datastores, host, endpoint }: PublishImportsOptions): Imports {
  const { graph, tasks, store, clock, random, log } = service;
  graph.add(
    OVF_MANAGER,
    { ovfImportOption: [], ovfExportOption: [] },
    ovfManagerHandlers(ovfContext(graph, datastores)),
  );
  service.extendContent({ ovfManager: OVF_MANAGER });
  return new Imports({ graph, tasks, store, host, clock, random, log, endpoint });
}

export function ovfContext(graph: Pick<ObjectGraph, 'ofType' | 'find'>, datastores: Datastores): OvfContext {
  return {
    datastoreName: (ref) => datastores.ofRef(ref).name,
    networkNames: () => Array.from(graph.ofType('Network'), (network) => network.get('name') ?? ''),
    networkName: (ref) => graph.find(ref)?.get('name'),
  };
}

const OVF_MANAGER = moRef('OvfManager', 'ha-ovf-manager');
