// The /folder door as hostd opens it.
import type { Logger } from '@vivarium/base';
import type { Service } from '@vivarium/vmomi';
import type { FastifyInstance } from 'fastify';
import type { Datastores } from '../datastore/datastores.ts';
import type { VirtualDisks } from '../virtual-disk-manager/virtual-disks.ts';
import { registerFolderAccess } from './folder-access.ts';

/** A host has one datacenter, and it is called so. */
const DATACENTER = 'ha-datacenter';

export interface FolderRoutesOptions {
  readonly service: Service;
  readonly storage: { readonly datastores: Datastores; readonly disks: VirtualDisks };
  readonly log: Logger;
}

export function registerFolderRoutes(app: FastifyInstance, { service, storage, log }: FolderRoutesOptions): void {
  const { tasks, graph, authorization, random } = service;
  registerFolderAccess(app, {
    api: {
      datastores: storage.datastores,
      use: storage.disks.context.use,
      tasks,
      graph,
      authorization,
      touched: (datastore) => {
        datastore.space.refresh().catch((error: unknown) => {
          log.warn({ err: error, datastore: datastore.name }, 'cannot read space');
        });
      },
    },
    authenticate: (request) => service.authenticate(request),
    datacenter: DATACENTER,
    random,
    log,
  });
}
