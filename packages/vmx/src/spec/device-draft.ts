// The device list while a spec is applied to it: what is there, which key of the spec became which key, which files have to
// be made or deleted. One draft lives for one call of applyConfigSpec.
import { isA, type VirtualDevice, type VirtualDeviceConfigSpec } from '@vivarium/vim';
import type { CleanupEffect, PrepareEffect } from '../effects.ts';
import type { SpecEnvironment } from '../environment.ts';
import type { GuestProfile } from '../guest/guest-profiles.ts';

/** One entry of deviceChange with its place in the array. */
export interface DeviceChange {
  readonly index: number;
  readonly device: VirtualDevice;
  readonly operation: 'add' | 'edit' | 'remove';
  readonly fileOperation: VirtualDeviceConfigSpec['fileOperation'];
}

export interface DraftSettings {
  readonly env: SpecEnvironment;
  readonly vmPathName: string;
  readonly uuid: string;
  readonly profile: GuestProfile;
}

export class DeviceDraft {
  readonly settings: DraftSettings;
  readonly prepare: PrepareEffect[] = [];
  readonly cleanup: CleanupEffect[] = [];
  #devices: VirtualDevice[];
  readonly #keys = new Map<number, number>();
  readonly #indexes = new Map<number, number>();
  #index = 0;

  constructor(settings: DraftSettings, devices: readonly VirtualDevice[]) {
    this.settings = settings;
    this.#devices = [...devices];
  }

  /** From here on changes belong to this entry of deviceChange. */
  begin(index: number): void {
    this.#index = index;
  }

  /** The entry of deviceChange that added, changed or removed a device; 0 when none did. */
  indexOf(key: number): number {
    return this.#indexes.get(key) ?? 0;
  }

  get devices(): readonly VirtualDevice[] {
    return this.#devices;
  }

  find(key: number): VirtualDevice | undefined {
    return this.#devices.find((device) => device.key === key);
  }

  ofType(type: 'VirtualDisk' | 'VirtualEthernetCard' | 'VirtualSCSIController' | 'VirtualController'): VirtualDevice[] {
    return this.#devices.filter((device) => isA(type, device));
  }

  /** Adds a device under its final key; `specKey` is what the spec called it. */
  add(device: VirtualDevice, specKey?: number): void {
    this.#devices.push(device);
    this.#indexes.set(device.key, this.#index);
    if (specKey !== undefined) this.alias(specKey, device.key);
  }

  /** What the spec calls `specKey` is the device `key`. */
  alias(specKey: number, key: number): void {
    if (specKey !== 0) this.#keys.set(specKey, key);
  }

  /** Puts a changed device where `key` was; its own key may have become another one. */
  replace(key: number, device: VirtualDevice): void {
    this.#indexes.set(device.key, this.#index);
    this.#devices = this.#devices.map((old) => (old.key === key ? device : old));
    if (device.key !== key) this.#keys.set(key, device.key);
  }

  remove(key: number): void {
    this.#indexes.set(key, this.#index);
    this.#devices = this.#devices.filter((device) => device.key !== key);
  }

  /** The key that a key of the spec stands for: of a device added by the same spec, else itself. */
  keyOf(specKey: number): number {
    return this.#keys.get(specKey) ?? specKey;
  }

  /** Whether a disk descriptor is used by a device of the draft or made by the spec. */
  usesFile(path: string): boolean {
    const isMade = this.prepare.some((effect) => effect.kind === 'createDisk' && effect.path === path);
    return (
      isMade ||
      this.#devices.some(({ backing }) => isA('VirtualDeviceFileBackingInfo', backing) && backing.fileName === path)
    );
  }
}
