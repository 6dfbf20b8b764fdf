// One registered VM: the one queue through which it changes, and what each request does. Knows nothing of the API's objects: a
// publisher listens and tells the world. What happens to the machine by itself (it ended, a disk is full, the guest's agent
// spoke) arrives on a MachineLine and changes the same state.
import { dirname } from 'node:path';
import {
  isA,
  MethodFault,
  type MoRef,
  type VirtualMachineConfigInfo,
  type VirtualMachineConfigSpec,
} from '@vivarium/vim';
import { disconnectForPowerOff, upgradeSpec } from '@vivarium/vmx';
import type { PortSpec } from '../network/provider.ts';
import { adoptVm } from './adopt-vm.ts';
import { changeConfig } from './change-config.ts';
import { configFault } from './driver-fault.ts';
import { openFiles, switchPorts } from './hardware.ts';
import { endMachine, onMachine } from './on-machine.ts';
import { checkPowerState, type PowerState, type VmRequest } from './power-state.ts';
import { RequestQueue } from './request-queue.ts';
import { MachineLine, type RunningMachine } from './running-machine.ts';
import { startVm } from './start-vm.ts';
import { dropSuspendState, suspendVm } from './suspend-vm.ts';
import { vmDemand } from './vm-demand.ts';
import { type EventSubject, vmDied, vmReconfigured, vmRenamed, vmUpgraded } from './vm-events.ts';
import { readVmx } from './vm-files.ts';
import type { VmHost } from './vm-host.ts';
import { type Request, type VmListener, VmState } from './vm-state.ts';
import type { VmStats, VmView } from './vm-view.ts';
import type { Ending, KeyStroke, Vmm, VmmUsage } from './vmm.ts';

export type { Request, VmAspect, VmListener } from './vm-state.ts';

/** One look at a running machine. */
export interface VmMeasure {
  readonly usage: VmmUsage;
  /** See ObservedGuest. */
  readonly heartbeats: number;
  /** Tells the machine's observers what came of it. */
  noteStats(stats: VmStats): void;
}

/** A request of nobody's. */
const ownRequest: Request = { progress: () => undefined };

export class Vm {
  readonly #state: VmState;
  readonly #queue = new RequestQueue();
  /** Keys and pictures: they change nothing, so no power operation waits for them or is refused because of them. */
  readonly #console = new RequestQueue();
  #isGone = false;

  /** Use `openVm`. */
  constructor(host: VmHost, id: string, vmxFile: string, config: VirtualMachineConfigInfo) {
    this.#state = new VmState(host, id, vmxFile, config);
  }

  get ref(): MoRef<'VirtualMachine'> {
    return this.#state.ref;
  }

  get host(): VmHost {
    return this.#state.host;
  }

  get vmxFile(): string {
    return this.#state.vmxFile;
  }

  get id(): string {
    return this.#state.id;
  }

  get name(): string {
    return this.config.name;
  }

  get config(): VirtualMachineConfigInfo {
    return this.#state.config;
  }

  get power(): PowerState {
    return this.#state.power;
  }

  get folder(): string {
    return dirname(this.vmxFile);
  }

  get subject(): EventSubject {
    return this.#state.subject;
  }

  /** A picture of now. */
  view(): VmView {
    return this.#state.view();
  }

  /** Hears of every change; returns the way to stop hearing. */
  onChange(listener: VmListener): () => void {
    return this.#state.onChange(listener);
  }

  /** Absolute paths of what the machine has open while it runs: nobody else may change these. */
  filesInUse(): readonly string[] {
    const { machine } = this.#state;
    return machine ? [...machine.files, ...this.#describedFiles()] : [];
  }

  /** Switch ports that the machine holds while it runs. */
  switchPorts(): readonly PortSpec[] {
    if (!this.#state.machine) return [];
    return [...switchPorts(this.id, this.config).values()].map((port) => ({ ...port, vmName: this.name }));
  }

  portKeys(): readonly string[] {
    return this.switchPorts().map((port) => port.portKey);
  }

  /** Path of the screen's VNC socket while the VM runs. */
  get vncSocket(): string | undefined {
    return this.#state.machine?.vmm.vncSocket;
  }

  /** Path of the socket of a serial port (id of the machine model) while the VM runs. */
  serialSocket(device: string): string | undefined {
    return this.#state.machine?.vmm.serialSocket(device);
  }

  /** What the machine has used so far, and the answers of its guest's agent; undefined while it is off. */
  async measure(): Promise<VmMeasure | undefined> {
    const { machine } = this.#state;
    const usage = await machine?.vmm.usage();
    if (!machine || !usage || machine !== this.#state.machine) return undefined;
    return { usage, heartbeats: machine.observed.heartbeats, noteStats: (stats) => machine.observed.noteStats(stats) };
  }

  /** Until this is disposed of every request is refused with TaskInProgress: a client is filling its disks. */
  hold(task: MoRef<'Task'>): Disposable {
    return this.#queue.hold(task);
  }

  powerOn(request: Request): Promise<void> {
    return this.#enter('powerOn', request, () => this.#start(request));
  }

  powerOff(request: Request): Promise<void> {
    return this.#enter('powerOff', request, async (state) => {
      if (state.power !== 'suspended') return endMachine(state, request);
      await dropSuspendState(state);
      state.wentOff();
      state.post('VmPoweredOffEvent', request);
    });
  }

  reset(request: Request): Promise<void> {
    return this.#enter('reset', request, async (state) => {
      state.startsAgain = false;
      state.post('VmResettingEvent', request);
      await onMachine(state, 'VmFailedToResetEvent', request, async ({ vmm }) => {
        await vmm.reset();
        await state.desk.retry(() => vmm.continue(), 'answer');
      });
    });
  }

  suspend(request: Request): Promise<void> {
    return this.#enter('suspend', request, (state) => suspendVm(state, request));
  }

  /** Through the guest's agent; without one the power button is pressed. Returns when the guest has been told. */
  shutdownGuest(request: Request): Promise<void> {
    return this.#enter('shutdownGuest', request, async (state) => {
      state.desk.checkNothingAsked();
      state.startsAgain = false;
      state.post('VmGuestShutdownEvent', request);
      await onMachine(state, 'VmFailedToShutdownGuestEvent', request, (machine) => askGuest(machine, 'powerdown'));
    });
  }

  rebootGuest(request: Request): Promise<void> {
    return this.#enter('rebootGuest', request, async (state) => {
      state.desk.checkNothingAsked();
      state.startsAgain = state.runningMachine().observed.tools !== 'running';
      state.post('VmGuestRebootEvent', request);
      await onMachine(state, 'VmFailedToRebootGuestEvent', request, (machine) => askGuest(machine, 'reboot')).catch(
        (error: unknown) => {
          state.startsAgain = false; // a guest that was not told goes down for reasons of its own
          throw error;
        },
      );
    });
  }

  reconfigure(request: Request, spec: VirtualMachineConfigSpec): Promise<void> {
    return this.#enter('reconfigure', request, async (state) => {
      const before = state.config;
      const finish = await this.#change(state, spec);
      state.tell(vmReconfigured(state.subject, spec, request.userName));
      if (before.name !== state.config.name) {
        state.tell(vmRenamed(state.subject, before.name, state.config.name, request.userName));
      }
      await finish();
    });
  }

  /** To a newer version of the hardware; see upgradeSpec. */
  upgrade(request: Request, version: string | undefined): Promise<void> {
    return this.#enter('upgrade', request, async (state) => {
      const spec = upgradeSpec(state.config, version);
      const finish = await this.#change(state, spec);
      state.tell(vmUpgraded(state.subject, spec.version ?? '', request.userName));
      await finish();
    });
  }

  /** Makes a new configuration true; what is returned removes what it no longer names. */
  async #change(state: VmState, spec: VirtualMachineConfigSpec): Promise<() => Promise<void>> {
    const { host, id, vmxFile, power, machine, config: before } = state;
    const { vmm, admission } = machine ?? {};
    const target = { host, id, vmxFile, power, vmm, admission };
    const { config, hardware, finish } = await changeConfig(target, before, spec).catch((error: unknown) => {
      throw configFault(error);
    });
    if (machine && hardware) machine.files = openFiles(vmxFile, hardware);
    admission?.correct(vmDemand(config, host.accelerator)); // it may have more vCPUs and memory
    // The machine may have ended while the change was written.
    state.noteConfig(state.machine === machine ? config : disconnectForPowerOff(config), 'runtime', 'files');
    return finish;
  }

  /**
   * The answer to runtime.question. Throws InvalidArgument for a question or choice that is not open, ConcurrentAccess when
   * somebody else was faster.
   */
  answer(request: Request, questionId: string, choice: string): Promise<void> {
    return this.#enter('answer', request, async (state) => {
      const { desk } = state;
      if (desk.parseAnswer(questionId, choice) === 'retry') {
        await onMachine(state, undefined, request, ({ vmm }) => desk.retry(() => vmm.continue(), 'answer'));
        return;
      }
      await endMachine(state, request, 'answer');
    });
  }

  /** See VncDoors. */
  async openVnc(password: string): Promise<string | undefined> {
    return this.#state.machine?.vmm.openVnc(password);
  }

  /** PNG of the screen. */
  screenshot(request: Request): Promise<Uint8Array> {
    return this.#onScreen(request, (vmm) => vmm.screenshot());
  }

  sendKeys(request: Request, strokes: readonly KeyStroke[]): Promise<void> {
    return this.#onScreen(request, (vmm) => vmm.sendKeys(strokes));
  }

  /** Throws InvalidPowerState unless there is a screen to show. */
  checkConsole(): void {
    checkPowerState('console', this.power);
  }

  countConsole(change: 1 | -1): void {
    this.#state.countConsole(change);
  }

  /** Runs `work` as the VM's last request (destroy, unregister): nothing else is under way, and it is not running. */
  retire(kind: 'destroy' | 'unregister', request: Request, work: () => Promise<void>): Promise<void> {
    return this.#enter(kind, request, async () => {
      await work();
      this.#isGone = true;
    });
  }

  /** Finds the machine that an earlier hostd left running. */
  adopt(): Promise<void> {
    return adoptVm(this.#state, this.#line());
  }

  /** Tries again to run a machine that waits for room on its datastore. */
  async spaceReturned(): Promise<void> {
    const { machine, desk, host } = this.#state;
    if (!machine || !desk.waitsForSpace) return;
    await desk
      .retry(() => machine.vmm.continue(), 'host')
      .catch((error: unknown) => {
        host.log.warn({ vm: this.id, err: error }, 'a machine did not go on although there is room again');
      });
  }

  /** hostd ends: the guest runs on. */
  release(): void {
    this.#state.release();
  }

  /** Reads the VMX again (it was edited by hand, or replaced). Not while it runs. */
  reload(request: Request): Promise<void> {
    return this.#enter('reload', request, async (state) => {
      state.noteVmx(await readVmx(this.host, this.vmxFile));
    });
  }

  #enter<T>(kind: VmRequest, request: Request, work: (state: VmState) => Promise<T>, waits = false): Promise<T> {
    return this.#queue.enter({ request: kind, task: request.task, waits }, async () => {
      if (this.#isGone) throw new MethodFault('ManagedObjectNotFound', { obj: this.ref });
      checkPowerState(kind, this.power);
      return work(this.#state);
    });
  }

  #onScreen<T>(request: Request, work: (vmm: Vmm) => Promise<T>): Promise<T> {
    return this.#console.enter({ request: 'console', task: request.task }, () => {
      checkPowerState('console', this.power);
      return onMachine(this.#state, undefined, request, ({ vmm }) => work(vmm));
    });
  }

  #start(request: Request): Promise<void> {
    return this.host.maintenance.admit(() => startVm(this.#state, this.#line(), request));
  }

  // Its configuration, and the descriptors of the disks: what the machine itself does not open.
  #describedFiles(): string[] {
    const descriptors = (this.config.hardware.device ?? []).flatMap(({ backing }) =>
      isA('VirtualDeviceFileBackingInfo', backing) && backing.fileName.endsWith('.vmdk')
        ? [this.host.paths.resolve(backing.fileName)]
        : [],
    );
    return [this.vmxFile, ...descriptors];
  }

  #line(): MachineLine {
    const state = this.#state;
    return new MachineLine({
      ended: (machine, ending) => this.#ended(machine, ending),
      ioError: (machine, { noSpace, reason, device }) => {
        if (machine !== state.machine) return;
        if (noSpace) this.host.paths.ranFull(this.vmxFile);
        state.desk.ask(noSpace, `${device}: ${reason}`);
      },
      resumed: (machine) => {
        if (machine === state.machine) state.desk.clear();
      },
    });
  }

  #ended(machine: RunningMachine, ending: Ending): void {
    const state = this.#state;
    if (machine !== state.machine) return;
    const startsAgain = state.startsAgain && ending.kind === 'guestShutdown';
    if (ending.kind === 'died') state.tell(vmDied(this.subject, ending.detail));
    state.wentOff(ending.kind === 'died');
    state.post('VmPoweredOffEvent');
    if (!startsAgain) return;
    this.#enter('powerOn', ownRequest, () => this.#start(ownRequest), true).catch((error: unknown) => {
      this.host.log.warn({ vm: this.id, err: error }, 'the guest shut down to reboot, but did not start again');
    });
  }
}

/** Reads a VM's configuration; throws when it cannot be read. */
export async function openVm(host: VmHost, id: string, vmxFile: string): Promise<Vm> {
  return new Vm(host, id, vmxFile, await readVmx(host, vmxFile));
}

async function askGuest({ vmm, observed }: RunningMachine, mode: 'powerdown' | 'reboot'): Promise<void> {
  if (observed.tools === 'running') await vmm.agent.shutdown(mode);
  else await vmm.powerDown();
}
