// Which VMs have a NIC on which network, by the networks' names: for Network.vm. Kept by differences, VM by VM.
import { isA, type MoRef, sameRef, type VirtualMachineConfigInfo } from '@vivarium/vim';

/** Names of the networks that a VM's NICs are on, each once. Pure. */
export function networksOf(config: VirtualMachineConfigInfo): string[] {
  const names = (config.hardware.device ?? []).flatMap((device) =>
    isA('VirtualEthernetCard', device) && isA('VirtualEthernetCardNetworkBackingInfo', device.backing)
      ? [device.backing.deviceName]
      : [],
  );
  return [...new Set(names)];
}

export class NetworkUsers {
  readonly #networks = new Map<string, readonly string[]>();
  readonly #users = new Map<string, readonly MoRef<'VirtualMachine'>[]>();

  /** By the network's name. */
  get all(): ReadonlyMap<string, readonly MoRef<'VirtualMachine'>[]> {
    return this.#users;
  }

  /** `networks` is empty for a VM that is gone. Returns whether anything is different now. */
  set(vm: MoRef<'VirtualMachine'>, networks: readonly string[]): boolean {
    const former = this.#networks.get(vm.value) ?? [];
    const left = former.filter((name) => !networks.includes(name));
    const joined = networks.filter((name) => !former.includes(name));
    for (const name of left) this.#put(name, (users) => users.filter((user) => !sameRef(user, vm)));
    for (const name of joined) this.#put(name, (users) => [...users, vm]);
    if (networks.length > 0) this.#networks.set(vm.value, networks);
    else this.#networks.delete(vm.value);
    return left.length > 0 || joined.length > 0;
  }

  #put(name: string, change: (users: readonly MoRef<'VirtualMachine'>[]) => readonly MoRef<'VirtualMachine'>[]): void {
    this.#users.set(name, change(this.#users.get(name) ?? []));
  }
}
