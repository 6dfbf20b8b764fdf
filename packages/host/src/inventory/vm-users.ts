// Which VMs are on which network, or datastore: for their property `vm`. Kept by differences, VM by VM.
import { type MoRef, sameRef } from '@vivarium/vim';

export class VmUsers {
  readonly #places = new Map<string, readonly string[]>();
  readonly #users = new Map<string, readonly MoRef<'VirtualMachine'>[]>();

  /** By the key of the place. */
  get all(): ReadonlyMap<string, readonly MoRef<'VirtualMachine'>[]> {
    return this.#users;
  }

  /** `places`: keys, each once; empty for a VM that is gone. Returns whether anything is different now. */
  set(vm: MoRef<'VirtualMachine'>, places: readonly string[]): boolean {
    const former = this.#places.get(vm.value) ?? [];
    const left = former.filter((place) => !places.includes(place));
    const joined = places.filter((place) => !former.includes(place));
    for (const place of left) this.#put(place, (users) => users.filter((user) => !sameRef(user, vm)));
    for (const place of joined) this.#put(place, (users) => [...users, vm]);
    if (places.length > 0) this.#places.set(vm.value, places);
    else this.#places.delete(vm.value);
    return left.length > 0 || joined.length > 0;
  }

  #put(place: string, change: (users: readonly MoRef<'VirtualMachine'>[]) => readonly MoRef<'VirtualMachine'>[]): void {
    const users = change(this.#users.get(place) ?? []);
    if (users.length > 0) this.#users.set(place, users);
    else this.#users.delete(place);
  }
}
