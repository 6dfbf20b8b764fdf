// What every realization of a network keeps of its ports: which there are, and who wants to hear when that changes.
import type { NetworkConfiguration } from './configuration.ts';
import { NetworkError, type PortInfo } from './provider.ts';

export class PortTable<T extends PortInfo = PortInfo> {
  readonly #listeners = new Set<() => void>();
  #ports: ReadonlyMap<string, T> = new Map();

  /** By port key. */
  get all(): ReadonlyMap<string, T> {
    return this.#ports;
  }

  list(): T[] {
    return [...this.#ports.values()];
  }

  /** Fault: NetworkError, when there is none. */
  get(portKey: string): T {
    const port = this.#ports.get(portKey);
    if (!port) throw new NetworkError(`there is no port ${portKey}`);
    return port;
  }

  with(port: T): Map<string, T> {
    return new Map(this.#ports).set(port.portKey, port);
  }

  without(portKeys: Iterable<string>): Map<string, T> {
    const gone = new Set(portKeys);
    return new Map([...this.#ports].filter(([portKey]) => !gone.has(portKey)));
  }

  only(portKeys: ReadonlySet<string>): Map<string, T> {
    return new Map([...this.#ports].filter(([portKey]) => portKeys.has(portKey)));
  }

  /** Ports follow their port group to its new name. */
  renamed(names: { readonly from: string; readonly to: string } | undefined): ReadonlyMap<string, T> {
    if (!names) return this.#ports;
    const { from, to } = names;
    return new Map(
      [...this.#ports].map(([key, port]) => [key, port.portGroup === from ? { ...port, portGroup: to } : port]),
    );
  }

  set(ports: ReadonlyMap<string, T>): void {
    this.#ports = ports;
    this.tell();
  }

  tell(): void {
    for (const listener of this.#listeners) listener();
  }

  /** Returns the way to take it back. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}

/** Throws NetworkError. */
export function requirePortGroup({ portGroups }: NetworkConfiguration, name: string): void {
  if (portGroups.some((group) => group.name === name)) return;
  throw new NetworkError(`there is no port group ${JSON.stringify(name)}`);
}
