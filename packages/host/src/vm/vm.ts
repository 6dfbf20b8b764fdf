// One registered VM: its configuration, its power state, and the one queue through which both change.
// Knows nothing of the API's objects: a publisher listens and tells the world. What happens to the machine by itself (it
// ended, a disk is full, the guest's agent spoke) arrives on a MachineLine and changes the same state.
import { dirname } from 'node:path';
import { dateTime } from '@vivarium/base';
import {
  isA,
  MethodFault,
  type MoRef,
  moRef,
  type VirtualMachineConfigInfo,
  type VirtualMachineConfigSpec,
} from '@vivarium/vim';
import { connectForPowerOn, disconnectForPowerOff } from '@vivarium/vmx';
import type { PortSpec } from '../network/provider.ts';
import type { VmShare } from '../resource-pool/plan-shares.ts';
import type { VmDemand } from '../resource-pool/share-tree.ts';
import type { Admission } from '../resource-pool/vm-resources.ts';
import { changeConfig } from './change-config.ts';
import { configFault, systemFault } from './driver-fault.ts';
import { describeHardware, openFiles, switchPorts } from './hardware.ts';
import { ObservedGuest } from './observed-guest.ts';
import { checkPowerState, type PowerState, type VmRequest } from './power-state.ts';
import { QuestionDesk } from './question-desk.ts';
import { questionText } from './questions.ts';
import { RequestQueue } from './request-queue.ts';
import { MachineLine, RunningMachine } from './running-machine.ts';
import {
  checkSuspendFile,
  hasSuspendFile,
  removeSuspendFile,
  suspendFault,
  suspendFile,
  suspendName,
} from './suspend-files.ts';
import { findSuspendState, withoutSuspendState, withSuspendState } from './suspend-state.ts';
import { memoryOverheadMB, vmDemand } from './vm-demand.ts';
import { type EventSubject, vmDied, vmEvent, vmFailed, vmMessage, vmReconfigured, vmRenamed } from './vm-events.ts';
import { readVmx, replaceVmx } from './vm-files.ts';
import type { NewEvent, VmHost } from './vm-host.ts';
import type { ToolsState, VmStats, VmView } from './vm-view.ts';
import type { Ending, Hardware, KeyStroke, Vmm, VmmUsage } from './vmm.ts';

/** Who asks, and how to tell them how far it is. */
export interface Request {
  readonly task?: MoRef<'Task'>;
  readonly userName?: string;
  progress(percent: number): void;
}

/** What about a VM has changed: the publisher renews no more than that. */
export type VmAspect = 'config' | 'runtime' | 'guest' | 'files' | 'stats';

/** One look at a running machine. */
export interface VmMeasure {
  readonly usage: VmmUsage;
  /** See ObservedGuest. */
  readonly heartbeats: number;
  /** Tells the machine's observers what came of it. */
  noteStats(stats: VmStats): void;
}

export type VmListener = (aspects: readonly VmAspect[]) => void;

/** A request of nobody's. */
const ownRequest: Request = { progress: () => undefined };

export class Vm {
  readonly ref: MoRef<'VirtualMachine'>;
  readonly host: VmHost;
  readonly vmxFile: string;
  readonly #queue = new RequestQueue();
  /** Keys and pictures: they change nothing, so no power operation waits for them or is refused because of them. */
  readonly #console = new RequestQueue();
  readonly #listeners = new Set<VmListener>();
  readonly #desk: QuestionDesk;
  #config: VirtualMachineConfigInfo;
  #power: PowerState;
  #machine: RunningMachine | undefined;
  /** What it is given while it runs. */
  #share: VmShare | undefined;
  #tools: ToolsState = 'unknown';
  #suspendTime: string | undefined;
  #consoles = 0;
  /** The last machine ended by itself in a way that no guest had asked for. */
  #crashed = false;
  /** The guest was asked to reboot by the power button: start it again when it is down. */
  #startAgain = false;
  #isGone = false;

  /** Use `openVm`. */
  constructor(host: VmHost, id: string, vmxFile: string, config: VirtualMachineConfigInfo) {
    this.host = host;
    this.ref = moRef('VirtualMachine', id);
    this.vmxFile = vmxFile;
    this.#config = config;
    this.#power = findSuspendState(config) ? 'suspended' : 'poweredOff';
    if (this.#power === 'suspended') this.#suspendTime = config.modified;
    this.#desk = new QuestionDesk({
      clock: host.clock,
      name: id,
      asked: (question) => this.#tell(vmMessage(this.subject, questionText(question), question.message)),
      changed: () => this.#changed('runtime'),
    });
  }

  get id(): string {
    return this.ref.value;
  }

  get name(): string {
    return this.#config.name;
  }

  get config(): VirtualMachineConfigInfo {
    return this.#config;
  }

  get power(): PowerState {
    return this.#power;
  }

  get folder(): string {
    return dirname(this.vmxFile);
  }

  /** Absolute paths of what the machine has open while it runs: nobody else may change these. */
  filesInUse(): readonly string[] {
    return this.#machine ? [...this.#machine.files, ...this.#describedFiles()] : [];
  }

  /** Switch ports that the machine holds while it runs. */
  switchPorts(): readonly PortSpec[] {
    if (!this.#machine) return [];
    return [...switchPorts(this.id, this.#config).values()].map((port) => ({ ...port, vmName: this.name }));
  }

  portKeys(): readonly string[] {
    return this.switchPorts().map((port) => port.portKey);
  }

  /** Path of the screen's VNC socket while the VM runs. */
  get vncSocket(): string | undefined {
    return this.#machine?.vmm.vncSocket;
  }

  /** Path of the socket of a serial port (id of the machine model) while the VM runs. */
  serialSocket(device: string): string | undefined {
    return this.#machine?.vmm.serialSocket(device);
  }

  /** What the machine has used so far, and the answers of its guest's agent; undefined while it is off. */
  async measure(): Promise<VmMeasure | undefined> {
    const machine = this.#machine;
    const usage = await machine?.vmm.usage();
    if (!machine || !usage || machine !== this.#machine) return undefined;
    return { usage, heartbeats: machine.observed.heartbeats, noteStats: (stats) => machine.observed.noteStats(stats) };
  }

  get subject(): EventSubject {
    return { host: this.host, ref: this.ref, name: this.name };
  }

  /** A picture of now. */
  view(): VmView {
    const { clock } = this.host;
    const { vmm, observed } = this.#machine ?? {};
    const bootTime = this.#power === 'poweredOn' ? vmm?.bootTime : undefined;
    const { question } = this.#desk;
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
      ...(this.#machine && this.#share
        ? { bounds: { cpuMhz: this.#share.maxCpuMhz, memoryMB: this.#share.maxMemoryMB } }
        : {}),
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

  powerOn(request: Request): Promise<void> {
    return this.#enter('powerOn', request, () => this.host.maintenance.admit(() => this.#start(request)));
  }

  powerOff(request: Request): Promise<void> {
    return this.#enter('powerOff', request, async () => {
      if (this.#power === 'suspended') {
        await this.#dropSuspendState();
      } else {
        this.#post('VmStoppingEvent', request);
        await this.#end('VmFailedToPowerOffEvent', request);
      }
      this.#wentOff();
      this.#post('VmPoweredOffEvent', request);
    });
  }

  reset(request: Request): Promise<void> {
    return this.#enter('reset', request, async () => {
      const { vmm } = this.#running();
      this.#startAgain = false;
      this.#post('VmResettingEvent', request);
      await this.#withMachine('VmFailedToResetEvent', request, async () => {
        await vmm.reset();
        await this.#desk.retry(() => vmm.continue(), 'answer');
      });
    });
  }

  suspend(request: Request): Promise<void> {
    return this.#enter('suspend', request, async () => {
      this.#desk.checkNothingAsked();
      this.#post('VmSuspendingEvent', request);
      await this.#withMachine('VmFailedToSuspendEvent', request, () => this.#suspend(request));
      this.#letGo();
      this.#suspendTime = dateTime(this.host.clock);
      this.#setPower('suspended');
      this.#post('VmSuspendedEvent', request);
    });
  }

  /** Through the guest's agent; without one the power button is pressed. Returns when the guest has been told. */
  shutdownGuest(request: Request): Promise<void> {
    return this.#enter('shutdownGuest', request, async () => {
      this.#desk.checkNothingAsked();
      this.#startAgain = false;
      this.#post('VmGuestShutdownEvent', request);
      await this.#withMachine('VmFailedToShutdownGuestEvent', request, () => this.#askGuest('powerdown'));
    });
  }

  rebootGuest(request: Request): Promise<void> {
    return this.#enter('rebootGuest', request, async () => {
      this.#desk.checkNothingAsked();
      this.#startAgain = this.#running().observed.tools !== 'running';
      this.#post('VmGuestRebootEvent', request);
      await this.#withMachine('VmFailedToRebootGuestEvent', request, () => this.#askGuest('reboot'));
    });
  }

  reconfigure(request: Request, spec: VirtualMachineConfigSpec): Promise<void> {
    return this.#enter('reconfigure', request, async () => {
      const before = this.#config;
      const machine = this.#machine;
      const { vmm, admission } = machine ?? {};
      const { config, hardware, finish } = await changeConfig(
        { host: this.host, vmxFile: this.vmxFile, id: this.id, power: this.#power, vmm, admission },
        before,
        spec,
      ).catch((error: unknown) => {
        throw configFault(error);
      });
      // The machine may have ended while the change was written.
      this.#config = this.#machine === machine ? config : disconnectForPowerOff(config);
      if (machine && hardware) machine.files = openFiles(this.vmxFile, hardware);
      admission?.correct(vmDemand(config, this.host.accelerator)); // it may have more vCPUs and memory
      this.#changed('config', 'runtime', 'files');
      this.#tell(vmReconfigured(this.subject, spec, request.userName));
      if (before.name !== config.name) {
        this.#tell(vmRenamed(this.subject, before.name, config.name, request.userName));
      }
      await finish();
    });
  }

  /**
   * The answer to runtime.question. Throws InvalidArgument for a question or choice that is not open, ConcurrentAccess when
   * somebody else was faster.
   */
  answer(request: Request, questionId: string, choice: string): Promise<void> {
    return this.#enter('answer', request, async () => {
      const answer = this.#desk.parseAnswer(questionId, choice);
      const { vmm } = this.#running();
      if (answer === 'retry') {
        await this.#withMachine(undefined, request, () => this.#desk.retry(() => vmm.continue(), 'answer'));
        return;
      }
      this.#post('VmStoppingEvent', request);
      await this.#end('VmFailedToPowerOffEvent', request);
      this.#desk.clear('answer');
      this.#wentOff();
      this.#post('VmPoweredOffEvent', request);
    });
  }

  /** See VncDoors. */
  async openVnc(password: string): Promise<string | undefined> {
    return this.#machine?.vmm.openVnc(password);
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
    checkPowerState('console', this.#power);
  }

  countConsole(change: 1 | -1): void {
    this.#consoles += change;
    this.#changed('runtime');
  }

  /** Runs `work` as the VM's last request (destroy, unregister): nothing else is under way, and it is not running. */
  retire(kind: 'destroy' | 'unregister', request: Request, work: () => Promise<void>): Promise<void> {
    return this.#enter(kind, request, async () => {
      await work();
      this.#isGone = true;
    });
  }

  /** Finds the machine that an earlier hostd left running. */
  async adopt(): Promise<void> {
    const line = this.#line();
    const vmm = await this.host.vmms.adopt({ id: this.id, vmxFile: this.vmxFile }, line.events);
    if (!vmm) {
      if (this.#power === 'suspended') return;
      this.#config = disconnectForPowerOff(this.#config);
      // Not noted: a suspension or a resumption was cut short.
      await removeSuspendFile(this, suspendName(this.vmxFile, this.#config));
      return;
    }
    const isRunning = await vmm.isRunning();
    const saved = findSuspendState(this.#config);
    if (saved && !isRunning && (await hasSuspendFile(this, saved))) {
      // Killed while it suspended or resumed: the guest has not run since its state was written, so that is what counts.
      await vmm.kill();
      return;
    }
    // A state that was resumed from must never be resumed from again.
    if (saved) await this.#saveConfig(withoutSuspendState(this.#config));
    // What it was started with may not have reached the disk.
    else if (!isRunning && (await vmm.isNew())) await this.#saveConfig(connectForPowerOn(this.#config));
    const hardware = await this.#describeAdopted(vmm);
    const admission = this.host.resources.adopt(this.id, this.#demand, (share) => this.#given(share));
    const machine = this.#hold(vmm, admission, hardware ? openFiles(this.vmxFile, hardware) : []);
    this.#setPower('poweredOn');
    await removeSuspendFile(this, saved ?? suspendName(this.vmxFile, this.#config));
    line.connect(machine);
    // Half started, half suspended, or waiting for room on its disk: it goes on, and asks again if it cannot.
    if (!isRunning) await this.#goOn(vmm, hardware);
  }

  /** Tries again to run a machine that waits for room on its datastore. */
  async spaceReturned(): Promise<void> {
    const machine = this.#machine;
    if (!machine || !this.#desk.waitsForSpace) return;
    await this.#desk
      .retry(() => machine.vmm.continue(), 'host')
      .catch((error: unknown) => {
        this.host.log.warn({ vm: this.id, err: error }, 'a machine did not go on although there is room again');
      });
  }

  /** hostd ends: the guest runs on. */
  release(): void {
    const machine = this.#machine;
    this.#machine = undefined;
    machine?.observed.stop();
    machine?.vmm.release();
  }

  /** Reads the VMX again (it was edited by hand, or replaced). Not while it runs. */
  reload(request: Request): Promise<void> {
    return this.#enter('reload', request, async () => {
      const config = await readVmx(this.host, this.vmxFile);
      const isSuspended = findSuspendState(config) !== undefined;
      this.#config = isSuspended ? config : disconnectForPowerOff(config);
      this.#suspendTime = isSuspended ? (this.#suspendTime ?? config.modified) : undefined;
      this.#power = isSuspended ? 'suspended' : 'poweredOff';
      this.#changed('config', 'runtime', 'guest', 'files');
    });
  }

  #enter<T>(kind: VmRequest, request: Request, work: () => Promise<T>, waits = false): Promise<T> {
    return this.#queue.enter({ request: kind, task: request.task, waits }, async () => {
      if (this.#isGone) throw new MethodFault('ManagedObjectNotFound', { obj: this.ref });
      checkPowerState(kind, this.#power);
      return work();
    });
  }

  #onScreen<T>(request: Request, work: (vmm: Vmm) => Promise<T>): Promise<T> {
    return this.#console.enter({ request: 'console', task: request.task }, () => {
      checkPowerState('console', this.#power);
      const { vmm } = this.#running();
      return this.#withMachine(undefined, request, () => work(vmm));
    });
  }

  async #start(request: Request): Promise<void> {
    const saved = findSuspendState(this.#config);
    this.#post(saved ? 'VmResumingEvent' : 'VmStartingEvent', request);
    const line = this.#line();
    let machine: RunningMachine;
    let admission: Admission | undefined;
    let written: Promise<void> | undefined;
    try {
      admission = this.host.resources.admit(this.id, this.#demand, (share) => this.#given(share));
      if (saved) await checkSuspendFile(this, saved);
      const config = saved ? this.#config : connectForPowerOn(this.#config);
      // The machine starts while the disk is waited for; its guest runs only when that is done.
      written = saved ? undefined : this.#saveConfig(config);
      written?.catch(() => undefined); // awaited below
      const [hardware, share] = await Promise.all([describeHardware(this, config), admission.ready()]);
      const { memoryMB } = config.hardware;
      const target = share?.balloonTargetMB ?? memoryMB;
      const vmm = await this.host.vmms.start(
        {
          id: this.id,
          vmxFile: this.vmxFile,
          hardware,
          vmName: this.name,
          // A guest that is resumed may still have a balloon from before.
          ...(saved || target < memoryMB ? { memoryTargetMB: target } : {}),
          ...(saved ? { resumeFrom: suspendFile(this, saved) } : {}),
          // Forgotten on disk before the guest runs: a second resume of the same state would destroy its disks.
          beforeRun: async () => {
            await written;
            if (saved) await this.#saveConfig(withoutSuspendState(this.#config));
          },
        },
        line.events,
      );
      machine = this.#hold(vmm, admission, openFiles(this.vmxFile, hardware), target);
    } catch (error) {
      await written?.catch(() => undefined);
      admission?.release();
      throw await this.#startFailed(error, saved, request);
    }
    this.#setPower('poweredOn');
    if (saved) await removeSuspendFile(this, saved);
    this.#post('VmPoweredOnEvent', request);
    line.connect(machine);
  }

  async #startFailed(error: unknown, saved: string | undefined, request: Request): Promise<MethodFault> {
    const fault = configFault(error);
    this.host.log.warn({ vm: this.id, err: error }, 'power-on failed');
    this.#tell(vmFailed('VmFailedToPowerOnEvent', this.subject, fault, request.userName));
    if (!saved) {
      this.#config = disconnectForPowerOff(this.#config);
      this.#changed('config');
    } else if (findSuspendState(this.#config) === undefined) {
      // Too late to go back: the guest may have run on from that state.
      await removeSuspendFile(this, saved);
      this.#wentOff();
      this.#post('VmPoweredOffEvent', request);
    }
    return fault;
  }

  async #suspend(request: Request): Promise<void> {
    const machine = this.#running();
    const name = suspendName(this.vmxFile, this.#config);
    try {
      const modules = await machine.vmm.devices.memoryModules();
      await machine.vmm.suspendTo(suspendFile(this, name), request.progress, async () => {
        if (this.#machine !== machine) throw new Error('the machine ended while its state was saved');
        // The state is whole: the machine is not needed any more, whatever happens to it.
        machine.expectEnd();
        await this.#saveConfig(withSuspendState(this.#config, name, modules));
      });
    } catch (error) {
      if (findSuspendState(this.#config) === undefined) {
        this.#mayNotEnd(machine);
        throw suspendFault(this, name, error);
      }
      // Once the state is noted the VM is suspended.
      this.host.log.warn({ vm: this.id, err: error }, 'the machine of a suspended VM did not end well');
    }
  }

  // It was to end and did not, or did it all the same.
  #mayNotEnd(machine: RunningMachine): void {
    const ending = machine.unexpectEnd();
    if (ending) this.#ended(machine, ending);
  }

  async #dropSuspendState(): Promise<void> {
    const saved = findSuspendState(this.#config);
    if (!saved) return;
    await this.#saveConfig(withoutSuspendState(this.#config));
    await removeSuspendFile(this, saved);
  }

  async #askGuest(mode: 'powerdown' | 'reboot'): Promise<void> {
    const { vmm, observed } = this.#running();
    if (observed.tools === 'running') await vmm.agent.shutdown(mode);
    else await vmm.powerDown();
  }

  // Its configuration, and the descriptors of the disks: what the machine itself does not open.
  #describedFiles(): string[] {
    const descriptors = (this.#config.hardware.device ?? []).flatMap(({ backing }) =>
      isA('VirtualDeviceFileBackingInfo', backing) && backing.fileName.endsWith('.vmdk')
        ? [this.host.paths.resolve(backing.fileName)]
        : [],
    );
    return [this.vmxFile, ...descriptors];
  }

  #running(): RunningMachine {
    if (!this.#machine)
      throw new MethodFault('InvalidPowerState', { requestedState: 'poweredOn', existingState: this.#power });
    return this.#machine;
  }

  // What a machine refuses because it has just ended is a matter of power states.
  async #withMachine<T>(
    failure: Parameters<typeof vmFailed>[0] | undefined,
    request: Request,
    work: () => Promise<T>,
  ): Promise<T> {
    const machine = this.#running();
    try {
      return await work();
    } catch (error) {
      const fault =
        error instanceof MethodFault || (this.#machine === machine && (await machine.isThere()))
          ? systemFault(error)
          : endedFault();
      if (failure) this.#tell(vmFailed(failure, this.subject, fault, request.userName));
      throw fault;
    }
  }

  async #end(failure: Parameters<typeof vmFailed>[0], request: Request): Promise<void> {
    const machine = this.#machine;
    if (!machine) return;
    machine.expectEnd();
    await this.#withMachine(failure, request, async () => {
      try {
        await machine.vmm.kill();
      } catch (error) {
        this.#mayNotEnd(machine);
        throw error;
      }
    });
  }

  async #saveConfig(config: VirtualMachineConfigInfo): Promise<void> {
    await replaceVmx(this.host, this.vmxFile, config, this.#config);
    this.#config = config;
    this.#changed('config');
  }

  /** `targetMB`: the memory target that the machine has been told. */
  #hold(vmm: Vmm, admission: Admission, files: readonly string[], targetMB?: number): RunningMachine {
    const observed = new ObservedGuest({
      clock: this.host.clock,
      vmm,
      tools: this.#tools,
      changed: (what) => this.#changed(what),
    });
    this.#startAgain = false;
    this.#crashed = false;
    this.#machine = new RunningMachine(vmm, observed, admission, files);
    if (this.#share && this.#share.balloonTargetMB !== targetMB) void this.#inflate(this.#machine, this.#share);
    return this.#machine;
  }

  get #demand(): VmDemand {
    return vmDemand(this.#config, this.host.accelerator);
  }

  /** What the VM is given has changed: by itself, or because of others in its pool. */
  #given(share: VmShare): void {
    const former = this.#share;
    this.#share = share;
    if (!this.#machine) return;
    this.#changed('runtime');
    if (former?.balloonTargetMB !== share.balloonTargetMB) void this.#inflate(this.#machine, share);
  }

  async #inflate({ vmm }: RunningMachine, { balloonTargetMB }: VmShare): Promise<void> {
    try {
      await vmm.setMemoryTarget(balloonTargetMB);
    } catch (error) {
      this.host.log.warn({ vm: this.id, err: error }, "a guest's memory does not follow its limit");
    }
  }

  #letGo(): void {
    const machine = this.#machine;
    this.#machine = undefined;
    machine?.observed.stop();
    machine?.admission.release();
    this.#share = undefined;
    this.#tools = machine?.observed.tools ?? this.#tools;
    this.#desk.clear();
  }

  #wentOff(): void {
    this.#letGo();
    this.#startAgain = false;
    this.#config = disconnectForPowerOff(this.#config);
    this.#setPower('poweredOff', 'config');
  }

  #setPower(power: PowerState, ...more: VmAspect[]): void {
    this.#power = power;
    this.#changed('runtime', 'guest', 'files', ...more);
  }

  #changed(...aspects: VmAspect[]): void {
    for (const listener of this.#listeners) listener(aspects);
  }

  #post(type: Parameters<typeof vmEvent>[0], request?: Request): void {
    this.#tell(vmEvent(type, this.subject, request?.userName));
  }

  #tell(event: NewEvent): void {
    this.host.post(event);
  }

  async #describeAdopted(vmm: Vmm): Promise<Hardware | undefined> {
    try {
      const hardware = await describeHardware(this, this.#config);
      vmm.devices.learn(hardware);
      return hardware;
    } catch (error) {
      // It runs all the same; what it is made of cannot be changed before it was off.
      this.host.log.error({ vm: this.id, err: error }, 'the files of a running VM are not what its VMX says');
      return undefined;
    }
  }

  async #goOn(vmm: Vmm, hardware: Hardware | undefined): Promise<void> {
    try {
      for (const { id, linkUp } of hardware?.machine.nics ?? []) await vmm.devices.setLink(id, linkUp);
      await vmm.continue();
    } catch (error) {
      this.host.log.error({ vm: this.id, err: error }, 'a machine that was found stopped does not go on');
      this.#desk.ask(false, systemFault(error).message);
    }
  }

  #line(): MachineLine {
    return new MachineLine({
      ended: (machine, ending) => this.#ended(machine, ending),
      ioError: (machine, { noSpace, reason, device }) => {
        if (machine !== this.#machine) return;
        if (noSpace) this.host.paths.ranFull(this.vmxFile);
        this.#desk.ask(noSpace, `${device}: ${reason}`);
      },
      resumed: (machine) => {
        if (machine === this.#machine) this.#desk.clear();
      },
    });
  }

  // Only for ends that nobody asked for: a request that ends the machine says so itself.
  #ended(machine: RunningMachine, ending: Ending): void {
    if (machine !== this.#machine) return;
    const startsAgain = this.#startAgain && ending.kind === 'guestShutdown';
    this.#crashed = ending.kind === 'died';
    if (ending.kind === 'died') this.#tell(vmDied(this.subject, ending.detail));
    this.#wentOff();
    this.#post('VmPoweredOffEvent');
    if (!startsAgain) return;
    const start = () => this.host.maintenance.admit(() => this.#start(ownRequest));
    this.#enter('powerOn', ownRequest, start, true).catch((error: unknown) => {
      this.host.log.warn({ vm: this.id, err: error }, 'the guest shut down to reboot, but did not start again');
    });
  }
}

/** Reads a VM's configuration; throws when it cannot be read. */
export async function openVm(host: VmHost, id: string, vmxFile: string): Promise<Vm> {
  return new Vm(host, id, vmxFile, await readVmx(host, vmxFile));
}

function endedFault(): MethodFault {
  return new MethodFault('InvalidPowerState', { requestedState: 'poweredOn', existingState: 'poweredOff' });
}
