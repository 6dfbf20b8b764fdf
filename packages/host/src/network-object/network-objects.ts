// The Network managed objects: one for each port group, kept true while port groups come and go.
import { type Handlers, MethodFault, type MoRef, make, moRef } from '@vivarium/vim';
import type { Call, ObjectGraph } from '@vivarium/vmomi';

export interface NetworkObjectsOptions {
  readonly graph: ObjectGraph;
  readonly host: MoRef<'HostSystem'>;
  /** The folder that the objects lie in, e.g. ha-folder-network. */
  readonly folder: MoRef<'Folder'>;
  /** Called after the list changed, with all refs: Folder.childEntity and its kin follow. */
  readonly listChanged: (networks: readonly MoRef<'Network'>[]) => void;
}

/** The reference of a port group's Network, as ESXi names it. */
export function networkRef(portGroup: string): MoRef<'Network'> {
  return moRef('Network', `HaNetwork-${portGroup}`);
}

export class NetworkObjects {
  readonly #options: NetworkObjectsOptions;
  #names: readonly string[] = [];
  #users: ReadonlyMap<string, readonly MoRef<'VirtualMachine'>[]> = new Map();

  constructor(options: NetworkObjectsOptions) {
    this.#options = options;
  }

  refs(): MoRef<'Network'>[] {
    return this.#names.map(networkRef);
  }

  /** Makes the objects those of these port groups. */
  setPortGroups(names: readonly string[]): void {
    const { graph, listChanged } = this.#options;
    const former = this.#names;
    if (names.length === former.length && names.every((name, index) => name === former[index])) return;
    for (const name of names) if (!former.includes(name)) this.#add(name);
    this.#names = [...names];
    // Out of the lists first: nobody is to follow a reference to nothing.
    listChanged(this.refs());
    for (const name of former) if (!names.includes(name)) graph.remove(networkRef(name));
  }

  /** Which VMs have a NIC on which port group, by its name; for port groups that are not here it waits until they come. */
  setUsers(users: ReadonlyMap<string, readonly MoRef<'VirtualMachine'>[]>): void {
    this.#users = users;
    for (const name of this.#names) {
      this.#options.graph.find(networkRef(name))?.set('vm', [...(users.get(name) ?? [])]);
    }
  }

  #add(name: string): void {
    const { graph, host, folder } = this.#options;
    const ref = networkRef(name);
    graph.add(
      ref,
      {
        name: entityName(name),
        parent: folder,
        summary: make('NetworkSummary', { network: ref, name, accessible: true, ipPoolName: '' }),
        host: [host],
        vm: [...(this.#users.get(name) ?? [])],
        overallStatus: 'green',
        configStatus: 'green',
        configIssue: [],
        recentTask: [],
        declaredAlarmState: [],
        triggeredAlarmState: [],
        alarmActionsEnabled: true,
        tag: [],
      },
      handlers(name),
    );
  }
}

function handlers(name: string): Handlers<'Network', Call> {
  return {
    // A host always has its own networks in use; its port groups are removed by the HostNetworkSystem.
    DestroyNetwork: () => {
      throw new MethodFault('ResourceInUse', { type: 'Network', name });
    },
  };
}

/** ManagedEntity.name: the characters that mean something in inventory paths are written as %2f, %5c and %25. */
function entityName(name: string): string {
  return name.replace(/[%/\\]/g, (character) => `%${character.charCodeAt(0).toString(16)}`);
}
