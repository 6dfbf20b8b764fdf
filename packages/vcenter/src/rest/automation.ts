// The Automation API of vCenter: one table of operations, served below /rest and below /api, and described as OpenAPI.
import { prepareScope, type Service } from '@vivarium/vmomi';
import type { FastifyInstance } from 'fastify';
import { ssoGroupOperations } from '../sso/group-operations.ts';
import type { SsoDomain } from '../sso/sso-domain.ts';
import { ssoUserOperations } from '../sso/user-operations.ts';
import { associationOperations } from '../tagging/association-operations.ts';
import { categoryOperations } from '../tagging/category-operations.ts';
import { tagOperations } from '../tagging/tag-operations.ts';
import type { Tagging } from '../tagging/tagging.ts';
import { TaggingPrivileges } from '../tagging/tagging-privileges.ts';
import { addJsonRpc } from './json-rpc.ts';
import { openApiDocument } from './openapi.ts';
import type { Operation } from './operation.ts';
import { addOperations } from './routes.ts';
import { sessionOperations } from './session-operations.ts';
import { clusterOperations } from './vcenter/cluster-operations.ts';
import { datacenterOperations } from './vcenter/datacenter-operations.ts';
import { datastoreOperations } from './vcenter/datastore-operations.ts';
import { folderOperations } from './vcenter/folder-operations.ts';
import { hostOperations } from './vcenter/host-operations.ts';
import { InventoryReader } from './vcenter/inventory-reader.ts';
import { networkOperations } from './vcenter/network-operations.ts';
import { resourcePoolOperations } from './vcenter/resource-pool-operations.ts';
import { vmGuestOperations } from './vcenter/vm-guest-operations.ts';
import { vmOperations } from './vcenter/vm-operations.ts';
import { vmPowerOperations } from './vcenter/vm-power-operations.ts';

export interface AutomationDeps {
  readonly service: Service;
  readonly tagging: Tagging;
  /** The users of the service, where they are ours to administer. */
  readonly domain?: SsoDomain | undefined;
}

export function automationOperations({ service, tagging, domain }: AutomationDeps): readonly Operation[] {
  const privileges = new TaggingPrivileges(service);
  const reader = new InventoryReader(service);
  return [
    ...sessionOperations(service),
    ...categoryOperations(tagging, privileges),
    ...tagOperations(tagging, privileges),
    ...associationOperations(tagging, privileges),
    ...datacenterOperations(service, reader),
    ...folderOperations(reader),
    ...clusterOperations(reader),
    ...hostOperations(reader),
    ...datastoreOperations(reader),
    ...networkOperations(reader),
    ...resourcePoolOperations(reader),
    ...vmOperations(reader),
    ...vmPowerOperations(reader),
    ...vmGuestOperations(reader),
    ...(domain ? [...ssoUserOperations(service, domain), ...ssoGroupOperations(domain)] : []),
  ];
}

/** Routes below /rest and /api, JSON-RPC at /api itself, and /openapi.json, which describes them to everybody. The app must not have others there. */
export function registerAutomation(app: FastifyInstance, deps: AutomationDeps): void {
  const { service } = deps;
  const operations = automationOperations(deps);
  addOperations(app, service, operations, 'rest');
  addOperations(app, service, operations, 'api');
  addJsonRpc(app, service, operations);
  const { version } = service.content.about;
  void app.register((scope, _options, done) => {
    prepareScope(scope);
    // Seldom asked for: made when needed, not kept.
    scope.get('/openapi.json', (_request, reply) =>
      reply.type('application/json').send(JSON.stringify(openApiDocument(operations, version))),
    );
    done();
  });
}
