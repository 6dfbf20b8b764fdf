// A machine that is only told of, with VMs that run nothing: what hostd needs of a machine, without hypervisor, switch or root.
// A guest has an agent and an address as soon as it runs, and goes down when it is asked to.
import type { Clock } from '@vivarium/base';
import type { MachineFacts } from '../host-system/machine-facts.ts';
import type { BlockDevice } from '../machine/block-devices.ts';
import type { HostMachine } from '../machine/host-machine.ts';
import { freeAdapters } from '../network/adapters/physical-adapter.ts';
import type { NetworkConfiguration } from '../network/configuration.ts';
import { type MachineNetwork, mainAddress } from '../network/machine/machine-network.ts';
import type { ServiceFacts } from '../service-system/service-info.ts';
import type { MachineReading } from '../statistics/machine-reading.ts';
import type { GuestFacts } from '../vm/guest-facts.ts';
import type { Vmm, VmmFactory } from '../vm/vmm.ts';
import { HeaderImages } from './header-images.ts';
import type { SimulatedMachine } from './simulated-machine.ts';
import { SimulatedNetwork } from './simulated-network.ts';
import { SimulatedVmms } from './simulated-vmms.ts';

export interface SimulatedHardware {
  readonly facts: MachineFacts;
  readonly network: MachineNetwork;
  readonly blockDevices: readonly BlockDevice[];
  readonly services: readonly ServiceFacts[];
  readonly timeServers: readonly string[];
}

/** A twentieth of the processors is busy, a sixteenth of the memory taken. */
const BUSY = 1 / 20;
const TAKEN = 1 / 16;

export function simulatedHostMachine(
  hardware: SimulatedHardware,
  { clock, configuration }: { readonly clock: Clock; readonly configuration: NetworkConfiguration },
): HostMachine {
  const address = mainAddress(hardware.network)?.address ?? '127.0.0.1';
  const network = new SimulatedNetwork(configuration, address, freeAdapters(hardware.network));
  const vmms = new SimulatedVmms({ clock, network });
  return {
    facts: hardware.facts,
    details: {
      numaNodes: [],
      pciDevices: [],
      firmwareType: 'BIOS',
      hyperThreading: { isAvailable: true, isActive: true },
    },
    verdict: { accelerator: 'kvm', detail: 'simulated: guests run nothing' },
    images: new HeaderImages(),
    network,
    groups: undefined,
    readNetwork: () => hardware.network,
    readBlockDevices: () => hardware.blockDevices,
    readServices: () => hardware.services,
    readTimeSource: () => ({ servers: hardware.timeServers, isKept: true }),
    readUsage: () => reading(hardware.facts, clock),
    vmms: () => withGuests(vmms),
    release: () => network.stop(),
    tearDown: () => network.stop(),
  };
}

function withGuests(vmms: SimulatedVmms): VmmFactory {
  const factory = vmms.factory();
  return {
    adopt: (vm, events) => factory.adopt(vm, events),
    async start(spec, events) {
      const vmm = await factory.start(spec, events);
      const machine = vmms.machine(spec.id);
      machine.powerButton = 'shutdown';
      machine.agentComes(guestOf(spec.id, spec.vmName, machine));
      return goingDown(vmm, machine);
    },
  };
}

/** The guest does what its agent is asked for. */
function goingDown(vmm: Vmm, machine: SimulatedMachine): Vmm {
  const agent: Vmm['agent'] = {
    facts: () => vmm.agent.facts(),
    async shutdown(mode) {
      await vmm.agent.shutdown(mode);
      setImmediate(() => {
        if (mode === 'reboot') machine.reboots();
        else void machine.powersOff();
      });
    },
  };
  return Object.create(vmm, { agent: { value: agent } }) as Vmm;
}

/** 10.0.0.0/8, by the VM's number and the adapter's. */
function guestOf(id: string, hostName: string, machine: SimulatedMachine): GuestFacts {
  const ports = [...machine.hardware.networks.values()];
  return {
    hostName,
    osName: 'Linux',
    interfaces: ports.map(({ mac }, index) => {
      const value = ((Number(id) & 0x3fffff) << 2) | (index & 3);
      const address = `10.${(value >> 16) & 255}.${(value >> 8) & 255}.${value & 255}`;
      return { mac, addresses: [{ address, prefix: 8 }] };
    }),
    fileSystems: [], // its disks hold nothing
  };
}

function reading({ threads, memoryBytes }: MachineFacts, clock: Clock): MachineReading {
  const ms = clock.monotonic();
  return {
    cpus: Array.from({ length: threads }, () => ({ busyMs: ms * BUSY, idleMs: ms * (1 - BUSY) })),
    memoryBytes,
    availableBytes: Math.floor(memoryBytes * (1 - TAKEN)),
    swappedInBytes: 0,
    swappedOutBytes: 0,
    nics: new Map(),
    uptimeSeconds: Math.floor(ms / 1000),
  };
}
