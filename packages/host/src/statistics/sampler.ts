// Looks at every running VM and at the machine every 20 seconds, at the full twentieth second of the wall clock as ESXi does,
// and hands the figures on. One pass for all: a timer and a few reads a VM, some 200 microseconds of this process's time.
import { type Clock, delay, type Logger, type Timer } from '@vivarium/base';
import { isA, type MoRef, moRefKey } from '@vivarium/vim';
import { type MetricValue, REAL_TIME_PERIOD_S } from '@vivarium/vmomi';
import { deviceId, vmxPrefix } from '@vivarium/vmx';
import { refs } from '../inventory/refs.ts';
import type { NetworkProvider, PortStatistics } from '../network/provider.ts';
import { portKey } from '../vm/hardware.ts';
import type { Vm } from '../vm/vm.ts';
import type { DiskPlace } from './disk-figures.ts';
import {
  type HostDigest,
  type HostFacts,
  hostDigest,
  poolFigures,
  savedByMerging,
  type VmPart,
} from './host-digest.ts';
import type { MachineReading } from './machine-reading.ts';
import { type VmDigest, type VmReading, vmDigest } from './vm-digest.ts';

const PERIOD_MS = REAL_TIME_PERIOD_S * 1000;
/** VMs that are asked at the same time. */
const AT_ONCE = 16;
/** A machine that does not say in this time what it uses is left out of the sample. */
const ANSWER_MS = 5_000;

/** What of a VM is looked at. */
export type SampledVm = Pick<Vm, 'id' | 'ref' | 'config' | 'measure' | 'view'>;

export interface SamplerOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly host: MoRef<'HostSystem'>;
  /** The pools that a VM is in: its own and all around it. Pools in which nothing runs are not sampled, but for the root pool. */
  readonly poolsOf: (vm: SampledVm) => readonly MoRef<'ResourcePool'>[];
  readonly facts: HostFacts;
  readonly network: Pick<NetworkProvider, 'statistics'>;
  readonly readMachine: () => MachineReading;
  /** Those that run now. */
  readonly vms: () => readonly SampledVm[];
  /** Gets the figures of a pass, by entity. */
  readonly sampled: (timeMs: number, figures: ReadonlyMap<string, readonly MetricValue[]>) => void;
}

/** How busy the host was in the last interval. */
export type HostUsage = Pick<HostDigest, 'cpuMhz' | 'memoryMB' | 'uptimeSeconds'>;

export class Sampler {
  readonly #options: SamplerOptions;
  /** The last look at each running VM. */
  readonly #readings = new Map<string, VmReading>();
  #machine: { readonly atMs: number; readonly machine: MachineReading };
  #usage: HostUsage;
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(options: SamplerOptions) {
    this.#options = options;
    this.#machine = this.#readMachine();
    this.#usage = hostDigest(this.#machine, this.#machine, options.facts, []);
    this.#schedule();
  }

  get usage(): HostUsage {
    return this.#usage;
  }

  /** A VM that was started is looked at: what it takes is known at once, and its load from then on. */
  follow(vm: SampledVm, isRunning: boolean): void {
    if (!isRunning) this.#readings.delete(vm.id);
    else if (!this.#readings.has(vm.id)) this.#lookFirst(vm).catch((error: unknown) => this.#failed(error));
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #schedule(): void {
    const { clock } = this.#options;
    this.#timer = clock.setTimer(PERIOD_MS - (clock.now() % PERIOD_MS), () => {
      this.#pass()
        .catch((error: unknown) => this.#failed(error))
        .finally(() => {
          if (!this.#isStopped) this.#schedule();
        });
    });
  }

  async #lookFirst(vm: SampledVm): Promise<void> {
    await this.#look(vm, this.#options.network.statistics());
  }

  #failed(error: unknown): void {
    this.#options.log.warn({ err: error }, 'a sample could not be taken');
  }

  async #pass(): Promise<void> {
    const { clock, facts, network, vms, host, poolsOf, sampled } = this.#options;
    // Timers fire a little late, seldom a little early.
    const timeMs = Math.round(clock.now() / PERIOD_MS) * PERIOD_MS;
    const ports = network.statistics();
    const running = vms();
    const parts: { readonly vm: SampledVm; readonly digest: VmDigest }[] = [];
    for (let start = 0; start < running.length; start += AT_ONCE) {
      const looked = running
        .slice(start, start + AT_ONCE)
        .map(async (vm) => ({ vm, digest: await this.#look(vm, ports) }));
      for (const { vm, digest } of await Promise.all(looked)) if (digest) parts.push({ vm, digest });
    }
    if (this.#isStopped) return;
    const pools = new Map<string, VmDigest[]>([[moRefKey(refs.resourcePool), []]]);
    for (const { vm, digest } of parts) {
      for (const pool of poolsOf(vm)) {
        const inside = pools.get(moRefKey(pool));
        if (inside) inside.push(digest);
        else pools.set(moRefKey(pool), [digest]);
      }
    }
    const before = this.#machine;
    this.#machine = this.#readMachine();
    const digest = hostDigest(before, this.#machine, facts, parts.map(vmPart));
    this.#usage = digest;
    sampled(
      timeMs,
      new Map([
        ...parts.map(({ vm, digest: { values } }) => [moRefKey(vm.ref), values] as const),
        [moRefKey(host), digest.values],
        ...Array.from(pools, ([pool, inside]) => [pool, poolFigures(inside)] as const),
      ]),
    );
  }

  /** `undefined` when it does not run, or does not answer. */
  async #look(vm: SampledVm, ports: ReadonlyMap<string, PortStatistics>): Promise<VmDigest | undefined> {
    const { clock, facts } = this.#options;
    const late = new AbortController();
    const measure = await Promise.race([
      vm.measure().catch(() => undefined),
      delay(clock, ANSWER_MS, late.signal).catch(() => undefined),
    ]);
    late.abort();
    if (!measure || this.#isStopped) return undefined;
    const { usage, heartbeats } = measure;
    const reading: VmReading = { atMs: clock.monotonic(), usage, heartbeats, nics: nicsOf(vm, ports) };
    const before = this.#readings.get(vm.id) ?? reading;
    this.#readings.set(vm.id, reading);
    const { hardware } = vm.config;
    const { uptimeSeconds } = vm.view();
    const digest = vmDigest(before, reading, {
      cpuMhz: facts.cpuMhz,
      numCpu: hardware.numCPU,
      memoryBytes: hardware.memoryMB * 2 ** 20,
      disks: disksOf(vm),
      savedByMerging: savedByMerging(this.#machine.machine),
      ...(uptimeSeconds === undefined ? {} : { uptimeSeconds }),
    });
    measure.noteStats(digest.stats);
    return digest;
  }

  #readMachine() {
    const { clock, readMachine } = this.#options;
    return { atMs: clock.monotonic(), machine: readMachine() };
  }
}

function vmPart({ vm: { config }, digest }: { readonly vm: SampledVm; readonly digest: VmDigest }): VmPart {
  return {
    digest,
    reservedMhz: config.cpuAllocation?.reservation ?? 0,
    reservedMB: config.memoryAllocation?.reservation ?? 0,
  };
}

function nicsOf({ id, config }: SampledVm, ports: ReadonlyMap<string, PortStatistics>): Map<string, PortStatistics> {
  const nics = new Map<string, PortStatistics>();
  for (const device of config.hardware.device ?? []) {
    const port = isA('VirtualEthernetCard', device) ? ports.get(portKey(id, device.key)) : undefined;
    if (port) nics.set(String(device.key), port);
  }
  return nics;
}

function disksOf({ config }: SampledVm): Map<string, DiskPlace> {
  const devices = config.hardware.device ?? [];
  const disks = new Map<string, DiskPlace>();
  for (const device of devices) {
    if (!isA('VirtualDisk', device) || !isA('VirtualDeviceFileBackingInfo', device.backing)) continue;
    const name = vmxPrefix(device, devices);
    // A datastore's id is its volume's.
    const volume = device.backing.datastore?.value;
    if (name !== undefined && volume !== undefined) disks.set(deviceId(device), { name, volume });
  }
  return disks;
}
