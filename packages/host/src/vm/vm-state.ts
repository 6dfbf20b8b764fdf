// What is known of one VM: its configuration, its power state and the machine that it runs in; and how it changes, so that
// whoever listens hears of it. Decides nothing: that is for the requests (vm.ts) and what they are made of.
import { dateTime } from '@vivarium/base';
import { MethodFault, type MoRef, moRef, type VirtualMachineConfigInfo } from '@vivarium/vim';
import { disconnectForPowerOff } from '@vivarium/vmx';
import type { VmDemand } from '../resource-pool/share-tree.ts';
import type { Admission } from '../resource-pool/vm-resources.ts';
import { MachineShare } from './machine-share.ts';
import { ObservedGuest } from './observed-guest.ts';
import type { PowerState } from './power-state.ts';
import { QuestionDesk } from './question-desk.ts';
import { questionText } from './questions.ts';
import { RunningMachine } from './running-machine.ts';
import { findSuspendState } from './suspend-state.ts';
import { memoryOverheadMB, vmDemand } from './vm-demand.ts';
import { type EventSubject, vmEvent, vmMessage } from './vm-events.ts';
import { replaceVmx } from './vm-files.ts';
import type { NewEvent, VmHost } from './vm-host.ts';
import type { ToolsState, VmView } from './vm-view.ts';
import type { Vmm } from './vmm.ts';

/** Who asks, and how to tell them how far it is. */
export interface Request {
  readonly task?: MoRef<'Task'>;
  readonly userName?: string;
  progress(percent: number): void;
}

/** What about a VM has changed: the publisher renews no more than that. */
export type VmAspect = 'config' | 'runtime' | 'guest' | 'files' | 'stats';

export type VmListener = (aspects: readonly VmAspect[]) => void;

export class VmState {
  readonly ref: MoRef<'VirtualMachine'>;
  readonly host: VmHost;
  readonly vmxFile: string;
  readonly desk: QuestionDesk;
  readonly share: MachineShare;
  /** The guest was asked to reboot by the power button: start it again when it is down. */
  startsAgain = false;
  readonly #listeners = new Set<VmListener>();
  #config: VirtualMachineConfigInfo;
  #power: PowerState;
  #machine: RunningMachine | undefined;
  #tools: ToolsState = 'unknown';
  #suspendTime: string | undefined;
  #consoles = 0;
  /** The last machine ended by itself in a way that no guest had asked for. */
  #crashed = false;

  constructor(host: VmHost, id: string, vmxFile: string, config: VirtualMachineConfigInfo) {
    this.host = host;
    this.ref = moRef('VirtualMachine', id);
    this.vmxFile = vmxFile;
    this.#config = config;
    this.#power = findSuspendState(config) ? 'suspended' : 'poweredOff';
    if (this.#power === 'suspended') this.#suspendTime = config.modified;
    this.desk = new QuestionDesk({
      clock: host.clock,
      name: id,
      asked: (question) => this.tell(vmMessage(this.subject, questionText(question), question.message)),
      changed: () => this.changed('runtime'),
    });
    this.share = new MachineShare({ log: host.log, vm: id, changed: () => this.changed('runtime') });
  }

  get id(): string {
    return this.ref.value;
  }

  get config(): VirtualMachineConfigInfo {
    return this.#config;
  }

  get power(): PowerState {
    return this.#power;
  }

  get machine(): RunningMachine | undefined {
    return this.#machine;
  }

  get subject(): EventSubject {
    return { host: this.host, ref: this.ref, name: this.#config.name };
  }

  /** What it asks of its pool while it runs. */
  get demand(): VmDemand {
    return vmDemand(this.#config, this.host.accelerator);
  }

  /** Throws InvalidPowerState when there is none. */
  runningMachine(): RunningMachine {
    if (this.#machine) return this.#machine;
    throw new MethodFault('InvalidPowerState', { requestedState: 'poweredOn', existingState: this.#power });
  }

  /** A picture of now. */
  view(): VmView {
    const { clock } = this.host;
    const { vmm, observed } = this.#machine ?? {};
    const bootTime = this.#power === 'poweredOn' ? vmm?.bootTime : undefined;
    const { question } = this.desk;
    const { bounds } = this.share;
    return {
      ref: this.ref,
      host: this.host.ref,
      config: this.#config,
      power: this.#power,
      tools: observed?.tools ?? this.#tools,
      consoles: this.#consoles,
      cpuMhz: this.host.cpuMhz,
      crashed: this.#crashed,
      overheadMB: memoryOverheadMB(this.#config, this.host.accelerator),
      ...(bounds ? { bounds } : {}),
      ...(observed?.facts ? { guest: observed.facts } : {}),
      ...(observed?.stats ? { stats: observed.stats } : {}),
      ...(question ? { question } : {}),
      ...(bootTime
        ? { bootTime, uptimeSeconds: Math.max(0, Math.floor((clock.now() - Date.parse(bootTime)) / 1000)) }
        : {}),
      ...(this.#power === 'suspended' && this.#suspendTime ? { suspendTime: this.#suspendTime } : {}),
    };
  }

  /** Hears of every change; returns the way to stop hearing. */
  onChange(listener: VmListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  changed(...aspects: VmAspect[]): void {
    for (const listener of this.#listeners) listener(aspects);
  }

  post(type: Parameters<typeof vmEvent>[0], request?: Request): void {
    this.tell(vmEvent(type, this.subject, request?.userName));
  }

  tell(event: NewEvent): void {
    this.host.post(event);
  }

  /** When this returns the configuration is on disk. */
  async saveConfig(config: VirtualMachineConfigInfo): Promise<void> {
    await replaceVmx(this.host, this.vmxFile, config, this.#config);
    this.noteConfig(config);
  }

  /** A configuration that is on disk, or that no machine has any more. */
  noteConfig(config: VirtualMachineConfigInfo, ...more: VmAspect[]): void {
    this.#config = config;
    this.changed('config', ...more);
  }

  /** As its VMX says now, while no machine runs. */
  noteVmx(config: VirtualMachineConfigInfo): void {
    const isSuspended = findSuspendState(config) !== undefined;
    this.#config = isSuspended ? config : disconnectForPowerOff(config);
    this.#suspendTime = isSuspended ? (this.#suspendTime ?? config.modified) : undefined;
    this.#setPower(isSuspended ? 'suspended' : 'poweredOff', 'config');
  }

  countConsole(change: 1 | -1): void {
    this.#consoles += change;
    this.changed('runtime');
  }

  /** A machine runs it; it is on once that is said. `targetMB`: the memory target that the machine has been told. */
  hold(vmm: Vmm, admission: Admission, files: readonly string[], targetMB?: number): RunningMachine {
    const observed = new ObservedGuest({
      clock: this.host.clock,
      vmm,
      tools: this.#tools,
      changed: (what) => this.changed(what),
    });
    this.startsAgain = false;
    this.#crashed = false;
    this.#machine = new RunningMachine(vmm, observed, admission, files);
    this.share.hold(vmm, targetMB);
    return this.#machine;
  }

  wentOn(): void {
    this.#setPower('poweredOn');
  }

  /** `crashed`: in a way that no guest and nobody had asked for. */
  wentOff(crashed = false): void {
    this.#letGo();
    this.startsAgain = false;
    this.#crashed = crashed;
    this.#config = disconnectForPowerOff(this.#config);
    this.#setPower('poweredOff', 'config');
  }

  wentToSleep(): void {
    this.#letGo();
    this.#suspendTime = dateTime(this.host.clock);
    this.#setPower('suspended');
  }

  /** hostd ends: the guest runs on, and nobody is told. */
  release(): void {
    const machine = this.#machine;
    this.#machine = undefined;
    machine?.observed.stop();
    machine?.vmm.release();
  }

  #letGo(): void {
    const machine = this.#machine;
    this.#machine = undefined;
    machine?.observed.stop();
    machine?.admission.release();
    this.share.letGo();
    this.#tools = machine?.observed.tools ?? this.#tools;
    this.desk.clear();
  }

  #setPower(power: PowerState, ...more: VmAspect[]): void {
    this.#power = power;
    this.changed('runtime', 'guest', 'files', ...more);
  }
}
