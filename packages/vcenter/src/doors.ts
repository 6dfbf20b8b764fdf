// The doors of vCenter beside /sdk: the Automation API with its tags, the storage policy service, files and pictures of screens.
import { type MoRef, moRef } from '@vivarium/vim';
import { registerFolderDoor, registerNfcDoor, registerScreenRoute } from '@vivarium/vmomi';
import type { FastifyInstance } from 'fastify';
import { nfcReceivers } from './appliance-import/nfc-receiver.ts';
import { datastoreFiles } from './datastore-files/datastore-files.ts';
import { registerStoragePolicyService } from './pbm/storage-policy-service.ts';
import { registerAutomation } from './rest/automation.ts';
import type { SsoDomain } from './sso/sso-domain.ts';
import { Tagging } from './tagging/tagging.ts';
import { screenOf } from './virtual-machine/screen.ts';
import type { Vpxd } from './vpxd.ts';

export type Door = (app: FastifyInstance) => void;

/** To be called when the inventory is in the graph: tags of what is gone are taken off. `domain`: whose users they are. */
export async function openDoors(
  { service, center }: Pick<Vpxd, 'service' | 'center'>,
  domain?: SsoDomain,
): Promise<readonly Door[]> {
  const { graph, store, random, log } = service;
  const tagging = new Tagging(store, random);
  tagging.watch(graph, (error) => log.error({ error }, 'the tags of a removed object are left until the next start'));
  await tagging.sweep((object) => graph.find(object as MoRef) !== undefined);
  return [
    (app) => registerAutomation(app, { service, tagging, domain }),
    (app) => registerStoragePolicyService(app, service),
    (app) => registerFolderDoor(app, datastoreFiles(center)),
    (app) =>
      registerScreenRoute(app, { service, log, screenshot: (vm) => screenOf(center, moRef('VirtualMachine', vm)) }),
    (app) => registerNfcDoor(app, { find: nfcReceivers(center), log }),
  ];
}
