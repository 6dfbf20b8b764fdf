// Keeps the hosts' networks as the distributed switches need them: when a host connects, and at every change. One host after its
// own last change; hosts beside each other.
import { type Clock, type Logger, Mutex } from '@vivarium/base';
import { isFault, type MoRef, moRef } from '@vivarium/vim';
import type { Hosts } from '../hosts/hosts.ts';
import { TryAgain } from '../hosts/try-again.ts';
import type { Inventory } from '../inventory/inventory.ts';
import type { Forwarder } from '../routing/forwarder.ts';
import {
  type HostNetwork,
  type NetworkStep,
  neededNetwork,
  planNetwork,
  reportedNetwork,
} from './plan-host-network.ts';

const NETWORK_SYSTEM = moRef('HostNetworkSystem', 'ha-networksystem');

export interface HostSwitchesOptions {
  readonly inventory: Inventory;
  readonly hosts: Hosts;
  readonly forwarder: Forwarder;
  readonly clock: Clock;
  readonly log: Logger;
  /** Its status has another value. */
  readonly syncChanged: (host: MoRef<'HostSystem'>) => void;
}

export class HostSwitches {
  readonly #options: HostSwitchesOptions;
  /** What a connected host has now: as it told, and changed since by us. */
  readonly #has = new Map<string, HostNetwork>();
  readonly #turns = new Map<string, Mutex>();
  readonly #outOfSync = new Set<string>();
  readonly #changing = new Mutex();
  readonly #tryAgain: TryAgain;

  constructor(options: HostSwitchesOptions) {
    this.#options = options;
    this.#tryAgain = new TryAgain(options.clock, (host) => void this.connected(moRef('HostSystem', host)));
  }

  /** One change of distributed switches after the other. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    return this.#changing.run(work);
  }

  /** HostMember status of a host. */
  statusOf(host: MoRef<'HostSystem'>): 'up' | 'outOfSync' | 'disconnected' {
    if (!this.#options.hosts.isConnected(host)) return 'disconnected';
    return this.#outOfSync.has(host.value) ? 'outOfSync' : 'up';
  }

  /** A host has connected, or answers again: what it missed is made up for. */
  async connected(host: MoRef<'HostSystem'>): Promise<void> {
    this.#has.delete(host.value);
    if (!this.#options.hosts.isConnected(host)) return this.#tryAgain.done(host.value);
    await this.#ensure(host).catch((error: unknown) => {
      this.#options.log.warn({ host: host.value, err: error }, 'a host does not have its distributed switches');
    });
  }

  close(): void {
    this.#tryAgain.close();
  }

  forget(host: MoRef<'HostSystem'>): void {
    this.#has.delete(host.value);
    this.#turns.delete(host.value);
    this.#outOfSync.delete(host.value);
    this.#tryAgain.done(host.value);
  }

  /** All of these that answer; rejects with the first one's fault. Those that do not are made right when they do. */
  async apply(hosts: readonly MoRef<'HostSystem'>[], without?: { readonly value: string }): Promise<void> {
    const connected = hosts.filter((host) => this.#options.hosts.isConnected(host));
    const results = await Promise.allSettled(connected.map((host) => this.#ensure(host, without)));
    const failed = results.find(
      (result) => result.status === 'rejected' && !isFault(result.reason, 'HostCommunication'),
    );
    if (failed?.status === 'rejected') throw failed.reason;
  }

  #ensure(host: MoRef<'HostSystem'>, without?: { readonly value: string }): Promise<void> {
    const turn = this.#turns.get(host.value) ?? new Mutex();
    this.#turns.set(host.value, turn);
    return turn.run(async () => {
      const { inventory, hosts } = this.#options;
      const needs = neededNetwork(inventory, host, without);
      const has = this.#has.get(host.value) ?? reportedNetwork(hosts.connected(host).mirror.hostNetwork());
      try {
        for (const step of planNetwork(has, needs)) await this.#step(host, step);
        this.#has.set(host.value, needs);
        this.#tryAgain.done(host.value);
        if (this.#outOfSync.delete(host.value)) this.#options.syncChanged(host);
      } catch (error) {
        this.#has.delete(host.value);
        this.#outOfSync.add(host.value);
        this.#options.syncChanged(host);
        if (isFault(error, 'HostCommunication')) this.#tryAgain.failed(host.value);
        throw error;
      }
    });
  }

  async #step(host: MoRef<'HostSystem'>, { method, args }: NetworkStep): Promise<void> {
    const call = (name: string, how: object) =>
      this.#options.forwarder.call(host as MoRef, { host, target: NETWORK_SYSTEM, method: name, args: how });
    try {
      await call(method, args);
    } catch (error) {
      // The host's report may be older than what we did ourselves.
      if (method.startsWith('Remove') && isFault(error, 'NotFound')) return;
      if (!isFault(error, 'AlreadyExists')) throw error;
      if (method === 'AddVirtualSwitch') await call('UpdateVirtualSwitch', args);
      else if (method === 'AddPortGroup') {
        const { portgrp } = args as { portgrp: { name: string } };
        await call('UpdatePortGroup', { pgName: portgrp.name, portgrp });
      } else throw error;
    }
  }
}
