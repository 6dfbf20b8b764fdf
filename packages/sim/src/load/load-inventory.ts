// `viv sim -load FOLDER`: the inventory that `govc object.save -d FOLDER` has saved, as simulated hosts under the real vCenter.
import type { Random } from '@vivarium/base';
import type { GuestFacts } from '@vivarium/host/view';
import { type CenterRecords, ROOT_FOLDER } from '@vivarium/vcenter';
import type { Service } from '@vivarium/vmomi';
import type { HostMaker } from '../make-host.ts';
import type { SimVmState } from '../sim-vm.ts';
import { guestFacts } from './guest-facts.ts';
import { loadClusters } from './load-clusters.ts';
import { loadDatastores, loadHosts } from './load-hosts.ts';
import { loadRecords } from './load-records.ts';
import { loadRights } from './load-rights.ts';
import { loadSwitches } from './load-switches.ts';
import { loadVms } from './load-vms.ts';
import { LeftOut, type Loading, nodesOf, refOf } from './loading.ts';
import { readSaved } from './read-saved.ts';
import { told } from './saved-object.ts';
import { treeOf } from './saved-tree.ts';

export interface LoadOptions {
  readonly folder: string;
  readonly random: Random;
  readonly records: CenterRecords;
  readonly maker: HostMaker;
  readonly service: Service;
}

/** What was left out, in lines. Throws FlagError, which says what is wrong with which file. */
export async function loadInventory({ folder, random, records, maker, service }: LoadOptions): Promise<string[]> {
  const saved = await readSaved(folder);
  const tree = treeOf(saved, ROOT_FOLDER);
  const leftOut = new LeftOut();
  const loading: Loading = { saved, tree, records, maker, random, leftOut };
  const guests = guestsOf(loading);
  const datastores = loadDatastores(loading);
  const hosts = loadHosts(loading, datastores, ({ instanceUuid = '' }) => guests.get(instanceUuid));
  const uuids = new Map(hosts.map(({ node, host }) => [node, host.options.view.facts.uuid]));
  await loadRecords(loading, {
    urlOf: (node) => datastores.get(node)?.url ?? '',
    uuidOf: (node) => uuids.get(node) ?? '',
  });
  const hostNames = await loadSwitches(loading, hosts);
  await loadVms(loading, hosts, hostNames);
  records.skipNumbers(tree.lastNumber);
  await records.connect(hosts.map(({ node }) => refOf(node, 'HostSystem')));
  await loadClusters(loading);
  await loadRights(loading, service);
  const skipped = [...saved.skipped].sort(([a], [b]) => (a < b ? -1 : 1)).map(([type, count]) => `${count} ${type}`);
  return [
    ...(skipped.length > 0 ? [`not loaded: ${skipped.join(', ')}`] : []),
    ...(leftOut.list().length > 0 ? [`left out: ${leftOut.list().join(', ')}`] : []),
  ];
}

/** What guests said of themselves, by the instance UUIDs of their VMs. */
function guestsOf(loading: Loading): ReadonlyMap<string, GuestFacts> {
  return new Map(
    nodesOf(loading, 'VirtualMachine').flatMap(({ object }) => {
      const config = told(object, 'VirtualMachine', 'config');
      const isOn = told(object, 'VirtualMachine', 'runtime')?.powerState === 'poweredOn';
      const facts = isOn ? guestFacts(told(object, 'VirtualMachine', 'guest')) : undefined;
      return facts && config?.instanceUuid
        ? [[config.instanceUuid as SimVmState['config']['uuid'], facts] as const]
        : [];
    }),
  );
}
