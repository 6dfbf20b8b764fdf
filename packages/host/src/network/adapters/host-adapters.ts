// Which of the machine's network adapters a host has, and their way onto its switch and back. An adapter that is taken moves into
// the host's network namespace under its vmnic's name, so nobody else can have it; the kernel is the lock. What it was like before
// is on disk first, so that any later hostd can give it back.
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Logger } from '@vivarium/base';
import { writeDurable } from '@vivarium/base/node';
import { type DeviceCounters, readDeviceCounters } from '../linux/device-counters.ts';
import { listDevices } from '../linux/devices.ts';
import type { Libc } from '../linux/libc.ts';
import type { NetworkNamespace } from '../linux/network-namespace.ts';
import { APART, bringUp, type FrameJoining, frameJoining, setFrameJoining } from '../linux/switch-cable.ts';
import { ipBatch } from '../machine/host-link.ts';
import { type PhysicalDevice, readAddressing, readPhysicalDevices } from '../machine/machine-network.ts';
import type { Datapath } from '../ovs/plan-rows.ts';
import { NetworkError } from '../provider.ts';
import { runTool, type Tools } from '../tools.ts';
import { isVmnicName, obstacleOf, type PhysicalAdapter, vmnicName, withNames } from './physical-adapter.ts';

/** Which adapters a host may have. */
export interface AdapterChoice {
  /** Devices of the machine that the administrator gives to the host. */
  readonly named: readonly string[];
  /** The machine's other adapters too: the host is alone on it. */
  readonly others: boolean;
}

export interface AdapterOptions {
  /** Where the host keeps which vmnic is which device. */
  readonly file: string;
  readonly choice: AdapterChoice;
  readonly namespace: NetworkNamespace;
  readonly tools: Tools;
  readonly libc: Libc;
  readonly log: Logger;
}

/** What the switch knows of an adapter that is on it. */
export interface Link {
  readonly hasLink: boolean;
  readonly speedMbps?: number;
  readonly isFullDuplex: boolean;
}

type Former = Pick<PhysicalDevice, 'mac' | 'driver' | 'busAddress' | 'mtu' | 'isUp'> & {
  readonly joining: FrameJoining;
};

/** Of vmnicN at index N. */
interface Kept {
  readonly device: string;
  /** Before it was taken; absent = it is the machine's. */
  readonly former?: Former;
}

const NO_LINK: Link = { hasLink: false, isFullDuplex: true };

export class HostAdapters {
  readonly #options: AdapterOptions;
  #kept: readonly Kept[];

  private constructor(options: AdapterOptions, kept: readonly Kept[]) {
    this.#options = options;
    this.#kept = kept;
  }

  static async open(options: AdapterOptions): Promise<HostAdapters> {
    const adapters = new HostAdapters(options, await readKept(options.file));
    await adapters.#finishGivingBack();
    const known = adapters.#kept.length;
    const there = new Set(adapters.list(new Map()).map(({ device }) => device));
    for (const device of options.choice.named) {
      if (!there.has(device)) options.log.warn({ device }, 'this machine has no such network adapter for the host');
    }
    if (adapters.#kept.length > known) await adapters.#keep(adapters.#kept);
    return adapters;
  }

  /** All that the host has, or could have, in the order of their numbers. `links`: by name, of those on the switch. */
  list(links: ReadonlyMap<string, Link>): PhysicalAdapter[] {
    const { choice } = this.#options;
    if (!choice.others && choice.named.length + this.#kept.length === 0) return [];
    const machine = readAddressing();
    const devices = new Map(
      readPhysicalDevices(choice.named)
        .filter(({ device }) => choice.others || choice.named.includes(device))
        .map((device) => [device.device, device]),
    );
    const known = this.#kept.map(({ device }) => device);
    for (const device of withNames(known, [...devices.keys()]).slice(known.length)) {
      this.#kept = [...this.#kept, { device }];
    }
    const taken = this.taken();
    return this.#kept.flatMap(({ device, former }, index): PhysicalAdapter[] => {
      const name = vmnicName(index);
      if (former && taken.has(name)) {
        const { joining: _joining, ...facts } = former;
        return [{ device, name, ...facts, usedBy: [], ...(links.get(name) ?? NO_LINK) }];
      }
      const there = devices.get(device);
      if (!there) return [];
      const obstacle = obstacleOf(there, machine, choice.named.includes(device));
      return [{ ...there, name, ...(obstacle === undefined ? {} : { obstacle }) }];
    });
  }

  /** The names of those that are in the host's network. */
  taken(): ReadonlySet<string> {
    return new Set(listDevices(this.#options.namespace).filter(isVmnicName));
  }

  /** By name, also of those that are the machine's. */
  counters(): ReadonlyMap<string, DeviceCounters> {
    const taken = readDeviceCounters(this.#options.namespace);
    const others = readDeviceCounters();
    return new Map(
      this.list(new Map()).flatMap(({ name, device }) => {
        const counters = taken.get(name) ?? others.get(device);
        return counters ? [[name, counters] as const] : [];
      }),
    );
  }

  /**
   * Takes an adapter from the machine for a switch of this datapath; one that is taken already is no error. Throws NetworkError.
   */
  async take(name: string, datapath: Datapath): Promise<void> {
    const { namespace, libc, tools, log } = this.#options;
    if (!this.taken().has(name)) {
      const found = this.list(new Map()).find((adapter) => adapter.name === name);
      if (!found) throw new NetworkError(`this machine has no adapter for ${name}`);
      if (found.obstacle !== undefined) throw new NetworkError(found.obstacle);
      const { device, mac, driver, busAddress, mtu, isUp } = found;
      const joining = frameJoining(libc, device);
      await this.#note(name, { mac, driver, busAddress, mtu, isUp, joining });
      await runTool(tools, {
        program: '/usr/bin/ip',
        args: ['link', 'set', 'dev', device, 'netns', '/proc/self/fd/3', 'name', name],
        descriptor: namespace.descriptor,
      });
      log.warn({ device, adapter: name }, 'network adapter taken from the machine for the switch');
    }
    if (datapath === 'netdev') namespace.run(() => setFrameJoining(libc, name, APART));
    bringUp(libc, namespace, name);
  }

  /** Gives those back to the machine that are not in `wanted`. Throws NetworkError when one cannot be. */
  async keepOnly(wanted: ReadonlySet<string>): Promise<void> {
    for (const name of this.taken()) if (!wanted.has(name)) await this.#giveBack(name);
  }

  async #giveBack(name: string): Promise<void> {
    const { namespace, tools, log } = this.#options;
    const kept = this.#kept.find((_, index) => vmnicName(index) === name);
    if (!kept?.former) return log.error({ adapter: name }, 'nobody knows whose network adapter this is: it stays');
    const { device, former } = kept;
    const machine = openSync('/proc/self/ns/net', 'r');
    try {
      await runTool(tools, {
        program: '/usr/bin/ip',
        args: ['link', 'set', 'dev', name, 'netns', '/proc/self/fd/3', 'name', device],
        descriptor: machine,
        namespace,
      });
    } finally {
      closeSync(machine);
    }
    await this.#restore(name, device, former);
    log.info({ device, adapter: name }, 'network adapter given back to the machine');
  }

  async #restore(name: string, device: string, former: Former): Promise<void> {
    const { tools, libc } = this.#options;
    await ipBatch(tools, [`link set ${device} mtu ${former.mtu} arp on ${former.isUp ? 'up' : 'down'}`]);
    setFrameJoining(libc, device, former.joining);
    await this.#note(name, undefined);
  }

  /** An earlier hostd was killed when the adapter was on its way: it is the machine's, and not yet what it was. */
  async #finishGivingBack(): Promise<void> {
    const taken = this.taken();
    const ofMachine = listDevices();
    for (const [index, { device, former }] of this.#kept.entries()) {
      const name = vmnicName(index);
      if (former && !taken.has(name) && ofMachine.includes(device)) await this.#restore(name, device, former);
    }
  }

  #note(name: string, former: Former | undefined): Promise<void> {
    return this.#keep(
      this.#kept.map((kept, index) =>
        vmnicName(index) === name ? { device: kept.device, ...(former ? { former } : {}) } : kept,
      ),
    );
  }

  async #keep(kept: readonly Kept[]): Promise<void> {
    this.#kept = kept;
    await writeDurable(this.#options.file, `${JSON.stringify(kept, null, 2)}\n`);
  }
}

/** Throws NetworkError when what was written cannot be read: an adapter of the machine may be lost with it. */
async function readKept(file: string): Promise<readonly Kept[]> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as readonly Kept[];
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw new NetworkError(`${file} cannot be read`, { cause: error });
  }
}
