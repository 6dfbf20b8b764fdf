// Makes simulated hosts: what each is like, and how its tasks take their time and fail, by the flags.
import { type Clock, type Random, uuid } from '@vivarium/base';
import type { GuestFacts, HostView, MachineFacts } from '@vivarium/host/view';
import { type AboutInfo, type HostCertificateManagerCertificateInfo, isA, MethodFault } from '@vivarium/vim';
import { Derived } from './derived.ts';
import type { SimFlags } from './flags.ts';
import { advancedOptions } from './host-managers.ts';
import { Interner } from './interner.ts';
import type { SimDatastore } from './sim-datastore.ts';
import { SimFiles } from './sim-files.ts';
import { SimHost, type SimHostOptions } from './sim-host.ts';
import { simMachine } from './sim-machine.ts';
import { disksOf, type SimVmState } from './sim-vm.ts';

const CPU_MHZ = 2294;
/** For so long hosts and their first VMs have been up when the simulator starts: there are samples to be seen at once. */
const UP_S = 3600;
const HOST_MEMORY = 64 * 2 ** 30;

export interface HostWorld {
  readonly clock: Clock;
  readonly random: Random;
  readonly flags: SimFlags;
  readonly about: AboutInfo;
  /** The certificate that hosts show. */
  readonly certificate: HostCertificateManagerCertificateInfo | undefined;
}

/** What a host is like that is not as all others are. */
export interface HostLikeness {
  readonly machine?: Partial<MachineFacts>;
  /** What the guest of a VM says; undefined: what guests say here. */
  readonly guestOf?: (config: SimVmState['config']) => GuestFacts | undefined;
}

export interface HostMaker {
  readonly interner: Interner;
  /** By the name that vCenter reaches it by. */
  find(name: string): SimHost | undefined;
  make(name: string, datastores: readonly SimDatastore[], like?: HostLikeness): SimHost;
}

export function hostMaker(world: HostWorld): HostMaker {
  const interner = new Interner();
  const settings = advancedOptions();
  const derived = new Derived();
  const remote = new Map<string, SimFiles>();
  const sharedFiles = (name: string, url: string) => {
    const key = `${url} ${name}`;
    const files = remote.get(key) ?? new SimFiles(name);
    remote.set(key, files);
    return files;
  };
  const hosts = new Map<string, SimHost>();
  return {
    interner,
    find: (name) => hosts.get(name),
    make(name, datastores, like = {}) {
      const host = newHost(
        { ...world, interner, settings, derived, sharedFiles },
        { name, number: hosts.size, datastores, like },
      );
      hosts.set(name, host);
      return host;
    },
  };
}

interface NewHost {
  readonly name: string;
  /** Of the hosts made before it. */
  readonly number: number;
  readonly datastores: readonly SimDatastore[];
  readonly like: HostLikeness;
}

function newHost(
  world: HostWorld & Pick<SimHostOptions, 'interner' | 'settings' | 'derived' | 'sharedFiles'>,
  { name, number, datastores, like }: NewHost,
): SimHost {
  const { flags, ...shared } = world;
  return new SimHost({
    name,
    ...shared,
    view: hostView(world, name, like.machine),
    machine: simMachine(name, number),
    datastores,
    taskMs: (method) => (method.endsWith('_Task') ? (flags.methodDelayMs.get(method) ?? flags.delayMs) : 0),
    faultOf: (method, vm) => {
      const found = flags.faults.find((one) => one.method === method && (one.vm === undefined || one.vm === vm));
      return found && (new MethodFault(found.fault as 'InvalidState') as MethodFault);
    },
    guestOf: (vm, config): GuestFacts => {
      const known = like.guestOf?.(config);
      if (known) return known;
      const cards = (config.hardware.device ?? []).filter((device) => isA('VirtualEthernetCard', device));
      return {
        hostName: config.name,
        osName: 'Linux',
        interfaces: cards.map(({ macAddress = '' }, index) => ({
          mac: macAddress.toLowerCase(),
          addresses: [{ address: guestAddress(number, Number(vm.value), index), prefix: 8 }],
        })),
        fileSystems: rootOn(config),
      };
    },
  });
}

/** One file system on the first disk, which is a tenth full. */
function rootOn(config: SimVmState['config']): NonNullable<GuestFacts['fileSystems']> {
  return disksOf(config)
    .slice(0, 1)
    .map(({ capacityInKB }) => {
      const capacityBytes = capacityInKB * 1024;
      return {
        mountPoint: '/',
        type: 'ext4',
        capacityBytes,
        freeBytes: capacityBytes - Math.floor(capacityBytes / 10),
      };
    });
}

/** 10.0.0.0/8: 4,096 hosts, 1,024 VMs each, four adapters. */
function guestAddress(host: number, vm: number, nic: number): string {
  const value = ((host & 0xfff) << 12) | ((vm & 0x3ff) << 2) | (nic & 3);
  return `10.${(value >> 16) & 255}.${(value >> 8) & 255}.${value & 255}`;
}

function hostView(
  { random, clock, about }: HostWorld,
  name: string,
  machine: Partial<MachineFacts> | undefined,
): HostView {
  return {
    name,
    port: 443,
    facts: { ...machineFacts(random), ...machine },
    about,
    bootTime: new Date(clock.now() - UP_S * 1000).toISOString(),
    nics: 2,
    usage: { cpuMhz: 1500, memoryMB: 4096, uptimeSeconds: UP_S },
  };
}

/** Of every simulated machine: two processors of eight cores with two threads each. */
export function machineFacts(random: Random): MachineFacts {
  return {
    vendor: 'Vivarium',
    model: 'Simulated host',
    uuid: uuid(random),
    serialNumber: 'None',
    biosVersion: '1',
    cpuModel: 'Simulated CPU @ 2.29GHz',
    cpuVendor: 'intel',
    cpuMhz: CPU_MHZ,
    cpuFlags: new Set(),
    packages: [
      { index: 0, threads: [0, 1, 2, 3, 4, 5, 6, 7] },
      { index: 1, threads: [8, 9, 10, 11, 12, 13, 14, 15] },
    ],
    cores: 16,
    threads: 32,
    memoryBytes: HOST_MEMORY,
  };
}
