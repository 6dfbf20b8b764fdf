// The machines of a simulated host, and a hostd's hold on them. Stands in for vm/qemu.
import { open, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Clock, dateTime } from '@vivarium/base';
import { planPciSlots, spareSlots } from '@vivarium/qemu/machine';
import type { NetworkProvider } from '../network/provider.ts';
import type { Hardware, LiveDevices, StartSpec, Vmm, VmmEvents, VmmFactory } from '../vm/vmm.ts';
import { SimulatedMachine } from './simulated-machine.ts';

/** Before a machine does something. May wait, or throw what QEMU would say. */
export type BeforeStep = (step: string, vm: string) => void | Promise<void>;

export class SimulatedVmms {
  /** By VM id; also those that no hostd holds. */
  readonly machines = new Map<string, SimulatedMachine>();
  /** Of this life and those before it: `<step> <vm>`. */
  readonly trace: string[] = [];
  readonly #clock: Clock;
  readonly #network: NetworkProvider;
  readonly #failures = new Map<string, Error[]>();
  readonly #gates = new Map<string, { reached(): void; opened: Promise<void> }>();
  #boots = 0;

  constructor(options: { readonly clock: Clock; readonly network: NetworkProvider }) {
    this.#clock = options.clock;
    this.#network = options.network;
  }

  /** The machine of a VM that must be there. */
  machine(vm: string): SimulatedMachine {
    const machine = this.machines.get(vm);
    if (!machine) throw new Error(`VM ${vm} has no machine`);
    return machine;
  }

  /** The next `step` fails with `error`. */
  fail(step: string, error: Error): void {
    this.#failures.set(step, [...(this.#failures.get(step) ?? []), error]);
  }

  /** The next `step` waits until it is released. */
  hold(step: string): { readonly reached: Promise<void>; release(): void } {
    const reached = Promise.withResolvers<void>();
    const opened = Promise.withResolvers<void>();
    this.#gates.set(step, { reached: reached.resolve, opened: opened.promise });
    return { reached: reached.promise, release: opened.resolve };
  }

  /** hostd is gone: nobody holds the machines. */
  abandon(): void {
    for (const machine of this.machines.values()) machine.holder = undefined;
  }

  /** What one hostd sees of them. */
  factory(before: BeforeStep = () => undefined): VmmFactory {
    const step: BeforeStep = async (name, vm) => {
      this.trace.push(`${name} ${vm}`);
      const gate = this.#gates.get(name);
      this.#gates.delete(name);
      gate?.reached();
      await gate?.opened;
      await before(name, vm);
      const failure = this.#failures.get(name)?.shift();
      if (failure) throw failure;
    };
    return {
      start: (spec, events) => this.#start(spec, events, step),
      adopt: async ({ id }, events) => {
        const machine = this.machines.get(id);
        if (!machine) for (const { portKey } of this.#network.ports()) await this.#sweep(id, portKey, step);
        return machine && hold(machine, this.#network, events, step);
      },
    };
  }

  // What a start that was cut short holds.
  async #sweep(id: string, portKey: string, step: BeforeStep): Promise<void> {
    if (!portKey.startsWith(`${id}-`)) return;
    await step('detach', id);
    await this.#network.detach(portKey);
  }

  async #start(spec: StartSpec, events: VmmEvents, step: BeforeStep): Promise<Vmm> {
    const { id, hardware, resumeFrom } = spec;
    if (this.machines.has(id)) throw new Error(`VM ${id} has a machine already`);
    await using undo = new AsyncDisposableStack();
    const ports = [...hardware.networks.values()];
    await step('attach', id);
    for (const port of ports) {
      await this.#network.attach({ ...port, vmName: spec.vmName });
      undo.defer(async () => {
        await step('detach', id); // a hostd that is dead frees nothing
        await this.#network.detach(port.portKey);
      });
    }
    await step('start', id);
    this.#boots += 1;
    for (const file of hardware.writableFiles) await (await open(file, 'a')).close();
    const machine: SimulatedMachine = new SimulatedMachine({
      vm: id,
      bootTime: dateTime(this.#clock),
      memory: `boot ${this.#boots}`,
      folder: dirname(spec.vmxFile),
      hardware,
      freed: async () => {
        this.machines.delete(id);
        for (const { portKey } of machine.hardware.networks.values()) await this.#network.detach(portKey);
      },
    });
    this.machines.set(id, machine);
    undo.defer(async () => {
      await step('kill', id);
      await machine.end({ kind: 'requested' });
    });
    if (resumeFrom) {
      await step('load', id);
      machine.memory = await readFile(resumeFrom, 'utf8');
      machine.state = 'paused';
    }
    machine.memoryTargetMB = spec.memoryTargetMB ?? hardware.machine.memoryMB;
    await spec.beforeRun();
    await step('continue', id);
    if (machine.state === 'ended') throw new Error('continue: the monitor is closed');
    machine.state = 'running';
    undo.move();
    return hold(machine, this.#network, events, step);
  }
}

function hold(machine: SimulatedMachine, network: NetworkProvider, events: VmmEvents, step: BeforeStep): Vmm {
  const holder = { events, isEndRequested: false };
  machine.holder = holder;
  const act = async <T>(name: string, action: () => T | Promise<T>): Promise<T> => {
    await step(name, machine.vm);
    if (machine.state === 'ended') throw new Error(`${name}: the monitor is closed`);
    return action();
  };
  const kill = async () => {
    holder.isEndRequested = true;
    await step('kill', machine.vm);
    await machine.end({ kind: 'requested' });
  };
  return {
    bootTime: machine.bootTime,
    accelerator: 'tcg',
    vncSocket: `/run/simulated/${machine.vm}/vnc.sock`,
    serialSocket: (id) => `/run/simulated/${machine.vm}/${id}.sock`,
    get hasAgent() {
      return machine.hasAgent;
    },
    devices: devicesOf(machine, network, act),
    isRunning: () => act('isRunning', () => machine.state === 'running'),
    isNew: () => act('isNew', () => machine.state === 'prelaunch'),
    continue: () => act('continue', () => machine.continues()),
    reset: () => act('reset', () => machine.reboots()),
    powerDown: () =>
      act('powerDown', () => {
        if (machine.powerButton === 'shutdown') setImmediate(() => void machine.powersOff());
      }),
    kill,
    async suspendTo(file, onProgress, beforeEnd) {
      const before = machine.state;
      try {
        await act('save', async () => {
          machine.state = 'paused';
          onProgress(50);
          await writeFile(file, machine.memory);
        });
        await beforeEnd();
      } catch (error) {
        await act('continue', () => {
          machine.state = before;
        }).catch(() => undefined);
        await rm(file, { force: true });
        throw error;
      }
      await kill();
    },
    screenshot: () => act('screenshot', () => new TextEncoder().encode('PNG')),
    sendKeys: (strokes) => act('sendKeys', () => void machine.keys.push(...strokes)),
    openVnc: () => act('openVnc', () => `/run/simulated/${machine.vm}/vnc-password.sock`),
    agent: {
      facts: () =>
        act('facts', () => {
          if (!machine.hasAgent || !machine.facts) throw new Error('the agent does not answer');
          return machine.facts;
        }),
      shutdown: () => act('agentShutdown', () => undefined),
    },
    setMemoryTarget: (megabytes) => act('setMemoryTarget', () => void (machine.memoryTargetMB = megabytes)),
    async usage() {
      if (machine.state === 'ended') return undefined;
      const { cpuSeconds, residentBytes, balloonedBytes, activeBytes } = machine;
      // One virtual CPU does all the work, and never waits for a processor.
      const vcpus = [{ index: 0, runNs: cpuSeconds * 1e9, readyNs: 0 }];
      const idle = { readBytes: 0, writtenBytes: 0, reads: 0, writes: 0, readTimeNs: 0, writeTimeNs: 0 };
      const disks = machine.hardware.machine.disks.map(({ id }) => ({ id, ...(machine.diskUsage.get(id) ?? idle) }));
      const active = activeBytes === undefined ? {} : { activeBytes };
      return { cpuSeconds, vcpus, residentBytes, swappedBytes: 0, balloonedBytes, ...active, disks };
    },
    release() {
      if (machine.holder === holder) machine.holder = undefined;
    },
  };
}

function devicesOf(
  machine: SimulatedMachine,
  network: NetworkProvider,
  act: (name: string, action: () => void | Promise<void>) => Promise<void>,
): LiveDevices {
  const started = machine.hardware.machine;
  const plug = (name: string) => (id: string, hardware: Hardware) =>
    act(name, () => {
      if (machine.devices.has(id)) throw new Error(`${name}: ${id} is there already`);
      machine.devices.add(id);
      machine.hardware = hardware;
    });
  const unplug = (name: string) => (id: string) =>
    act(name, () => {
      if (!machine.devices.delete(id)) throw new Error(`${name}: there is no ${id}`);
    });
  return {
    learn(hardware) {
      machine.hardware = hardware;
    },
    spareSlots() {
      const taken = new Set(planPciSlots(machine.hardware.machine).values());
      return spareSlots(started).filter((slot) => !taken.has(slot));
    },
    plugController: plug('plugController'),
    unplugController: unplug('unplugController'),
    plugDisk: plug('plugDisk'),
    unplugDisk: unplug('unplugDisk'),
    plugCdrom: plug('plugCdrom'),
    unplugCdrom: unplug('unplugCdrom'),
    async plugNic(id, hardware) {
      const port = hardware.networks.get(id);
      if (port) await network.attach({ ...port, vmName: hardware.machine.name });
      await plug('plugNic')(id, hardware);
    },
    async unplugNic(id) {
      await unplug('unplugNic')(id);
      const port = machine.hardware.networks.get(id);
      if (port) await network.detach(port.portKey);
    },
    setLink: (id, up) => act('setLink', () => void machine.links.set(id, up)),
    moveNic: (id, portKey, portGroup, up) =>
      act('moveNic', async () => {
        await network.move(portKey, portGroup);
        machine.links.set(id, up);
      }),
    changeMedium: (id, file) => act('changeMedium', () => void machine.media.set(id, file)),
    resizeDisk: (id, sizeBytes) =>
      act('resizeDisk', async () => {
        const disk = machine.hardware.machine.disks.find((candidate) => candidate.id === id);
        if (!disk) throw new Error(`there is no ${id}`);
        await machine.resized({ folder: machine.folder, name: disk.file }, sizeBytes);
      }),
    changeSerial: () => act('changeSerial', () => undefined),
    plugCpus: () => act('plugCpus', () => undefined),
    plugMemory: (memoryMB) =>
      act('plugMemory', () => {
        const present = [machine.startMB, ...machine.memoryModules].reduce((sum, sizeMB) => sum + sizeMB, 0);
        if (memoryMB > present) machine.memoryModules.push(memoryMB - present);
      }),
    memoryModules: async () => machine.memoryModules,
    setDiskLimit: () => act('setDiskLimit', () => undefined),
  };
}
