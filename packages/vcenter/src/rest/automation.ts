// The Automation API of vCenter: one table of operations, served below /rest and below /api, and described as OpenAPI.
import type { Service } from '@vivarium/vmomi';
import type { FastifyInstance } from 'fastify';
import { associationOperations } from '../tagging/association-operations.ts';
import { categoryOperations } from '../tagging/category-operations.ts';
import { tagOperations } from '../tagging/tag-operations.ts';
import type { Tagging } from '../tagging/tagging.ts';
import { TaggingPrivileges } from '../tagging/tagging-privileges.ts';
import type { Operation } from './operation.ts';
import { addOperations } from './routes.ts';
import { sessionOperations } from './session-operations.ts';

export interface AutomationDeps {
  readonly service: Service;
  readonly tagging: Tagging;
}

export function automationOperations({ service, tagging }: AutomationDeps): readonly Operation[] {
  const privileges = new TaggingPrivileges(service);
  return [
    ...sessionOperations(service),
    ...categoryOperations(tagging, privileges),
    ...tagOperations(tagging, privileges),
    ...associationOperations(tagging, privileges),
  ];
}

/** Routes below /rest and /api. The app must not have others there. */
export function registerAutomation(app: FastifyInstance, deps: AutomationDeps): void {
  const operations = automationOperations(deps);
  addOperations(app, deps.service, operations, 'rest');
  addOperations(app, deps.service, operations, 'api');
}
