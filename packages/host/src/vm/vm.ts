// One registered VM: its configuration, its power state, and the one queue through which both change.
// Knows nothing of the API's objects: a publisher listens and tells the world. What happens to the machine by itself (it
// ended, a disk is full, the guest's agent spoke) arrives through #events and changes the same state.
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { dateTime } from '@vivarium/base';
import {
  isA,
  MethodFault,
  type MoRef,
  moRef,
  type VirtualMachineConfigInfo,
  type VirtualMachineConfigSpec,
  type VirtualMachineQuestionInfo,
} from '@vivarium/vim';
import { connectForPowerOn, disconnectForPowerOff } from '@vivarium/vmx';
import { changeConfig } from './change-config.ts';
import type { GuestFacts } from './guest-facts.ts';
import { GuestWatch } from './guest-watch.ts';
import { describeHardware, openFiles, portKey } from './hardware.ts';
import { checkPowerState, type PowerState, type VmRequest } from './power-state.ts';
import { diskQuestion, parseDiskAnswer } from './questions.ts';
import { RequestQueue } from './request-queue.ts';
import { StatsWatch } from './stats-watch.ts';
import { findSuspendState, withoutSuspendState, withSuspendState } from './suspend-state.ts';
import {
  type EventSubject,
  vmDied,
  vmEvent,
  vmFailedToPowerOn,
  vmMessage,
  vmReconfigured,
  vmRenamed,
} from './vm-events.ts';
import { readVmx, writeVmx } from './vm-files.ts';
import type { VmHost } from './vm-host.ts';
import type { ToolsState, VmStats, VmView } from './vm-view.ts';
import type { Ending, KeyStroke, Vmm, VmmEvents } from './vmm.ts';

/** Who asks, and how to tell them how far it is. */
export interface Request {
  readonly task?: MoRef<'Task'>;
  readonly userName?: string;
  progress(percent: number): void;
}

/** What about a VM has changed: the publisher renews no more than that. */
export type VmAspect = 'config' | 'runtime' | 'guest' | 'files' | 'stats';

export type VmListener = (aspects: readonly VmAspect[]) => void;

export class Vm {
  readonly ref: MoRef<'VirtualMachine'>;
  readonly host: VmHost;
  readonly vmxFile: string;
  readonly #queue = new RequestQueue();
  readonly #listeners = new Set<VmListener>();
  #config: VirtualMachineConfigInfo;
  #power: PowerState;
  #vmm: Vmm | undefined;
  #tools: ToolsState = 'unknown';
  #guest: GuestFacts | undefined;
  #guestWatch: GuestWatch | undefined;
  #stats: VmStats | undefined;
  #statsWatch: StatsWatch | undefined;
  #question: VirtualMachineQuestionInfo | undefined;
  #questions = 0;
  #suspendTime: string | undefined;
  /** Data files of the running machine. */
  #files: readonly string[] = [];
  #consoles = 0;
  /** The guest was asked to reboot by the power button: start it again when it is down. */
  #startAgain = false;

  /** Use `openVm`. */
  constructor(host: VmHost, id: string, vmxFile: string, config: VirtualMachineConfigInfo) {
    this.host = host;
    this.ref = moRef('VirtualMachine', id);
    this.vmxFile = vmxFile;
    this.#config = config;
    this.#power = findSuspendState(config) ? 'suspended' : 'poweredOff';
    if (this.#power === 'suspended') this.#suspendTime = config.modified;
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
    return this.#vmm ? [...this.#files, ...this.#describedFiles()] : [];
  }

  /** Switch ports that the machine holds while it runs. */
  portKeys(): readonly string[] {
    if (!this.#vmm) return [];
    return (this.#config.hardware.device ?? [])
      .filter((device) => isA('VirtualEthernetCard', device))
      .map((device) => portKey(this.#config, device.key));
  }

  /** Path of the screen's VNC socket while the VM runs. */
  get vncSocket(): string | undefined {
    return this.#vmm?.vncSocket;
  }

  get subject(): EventSubject {
    return { host: this.host, ref: this.ref, name: this.name };
  }

  /** A picture of now. */
  view(): VmView {
    const { clock } = this.host;
    const bootTime = this.#power === 'poweredOn' ? this.#vmm?.bootTime : undefined;
    return {
      ref: this.ref,
      host: this.host.ref,
      config: this.#config,
      power: this.#power,
      connection: 'connected',
      tools: this.#tools,
      consoles: this.#consoles,
      cpuMhz: this.host.cpuMhz,
      ...(this.#guest ? { guest: this.#guest } : {}),
      ...(this.#stats ? { stats: this.#stats } : {}),
      ...(this.#question ? { question: this.#question } : {}),
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
    return this.#enter('powerOn', request, () => this.#start(request));
  }

  powerOff(request: Request): Promise<void> {
    return this.#enter('powerOff', request, async () => {
      if (this.#power === 'suspended') {
        await this.#dropSuspendState();
      } else {
        this.#post('VmStoppingEvent', request);
        await this.#vmm?.kill();
        this.#letGo();
      }
      this.#setPower('poweredOff');
      this.#post('VmPoweredOffEvent', request);
    });
  }

  reset(request: Request): Promise<void> {
    return this.#enter('reset', request, async () => {
      this.#post('VmResettingEvent', request);
      await this.#running().reset();
    });
  }

  suspend(request: Request): Promise<void> {
    return this.#enter('suspend', request, async () => {
      const vmm = this.#running();
      const name = `${stem(this.vmxFile)}-${this.#config.uuid.slice(0, 8)}.vmss`;
      this.#post('VmSuspendingEvent', request);
      await vmm.suspendTo(join(this.folder, name), request.progress, async () => {
        await this.#saveConfig(withSuspendState(this.#config, name));
      });
      this.#letGo();
      this.#suspendTime = dateTime(this.host.clock);
      this.#setPower('suspended');
      this.#post('VmSuspendedEvent', request);
    });
  }

  /** Through the guest's agent; without one the power button is pressed. Returns when the guest has been told. */
  shutdownGuest(request: Request): Promise<void> {
    return this.#enter('shutdownGuest', request, async () => {
      this.#post('VmGuestShutdownEvent', request);
      await this.#askGuest('powerdown');
    });
  }

  rebootGuest(request: Request): Promise<void> {
    return this.#enter('rebootGuest', request, async () => {
      this.#post('VmGuestRebootEvent', request);
      this.#startAgain = this.#tools !== 'running';
      await this.#askGuest('reboot');
    });
  }

  reconfigure(request: Request, spec: VirtualMachineConfigSpec): Promise<void> {
    return this.#enter('reconfigure', request, async () => {
      const before = this.#config;
      const { config, finish } = await changeConfig(
        { host: this.host, vmxFile: this.vmxFile, id: this.id, power: this.#power, vmm: this.#vmm },
        before,
        spec,
      );
      this.#config = config;
      if (this.#vmm) this.#files = openFiles(await describeHardware(this.host, this.vmxFile, config));
      this.#changed('config', 'runtime', 'files');
      this.host.post(vmReconfigured(this.subject, spec, request.userName));
      if (before.name !== config.name) {
        this.host.post(vmRenamed(this.subject, before.name, config.name, request.userName));
      }
      await finish();
    });
  }

  /** The answer to runtime.question. Throws InvalidArgument for a question or choice that is not open. */
  answer(questionId: string, choice: string): Promise<void> {
    return this.#enter('console', { progress() {} }, async () => {
      if (this.#question?.id !== questionId)
        throw new MethodFault('InvalidArgument', { invalidProperty: 'questionId' });
      const answer = parseDiskAnswer(choice);
      if (!answer) throw new MethodFault('InvalidArgument', { invalidProperty: 'answerChoice' });
      if (answer === 'retry') return this.#retry();
      await this.#vmm?.kill();
      this.#letGo();
      this.#setPower('poweredOff');
      this.#post('VmPoweredOffEvent');
    });
  }

  /** See VncDoors. */
  async openVnc(password: string): Promise<string | undefined> {
    return this.#vmm?.openVnc(password);
  }

  /** PNG of the screen. */
  screenshot(): Promise<Uint8Array> {
    return this.#enter('console', { progress() {} }, () => this.#running().screenshot());
  }

  sendKeys(strokes: readonly KeyStroke[]): Promise<void> {
    return this.#enter('console', { progress() {} }, () => this.#running().sendKeys(strokes));
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
  retire<T>(kind: 'destroy' | 'unregister', request: Request, work: () => Promise<T>): Promise<T> {
    return this.#enter(kind, request, work);
  }

  /** Finds the machine that an earlier hostd left running. */
  async adopt(): Promise<void> {
    const vmm = await this.host.vmms.adopt({ id: this.id, vmxFile: this.vmxFile }, this.#events);
    if (!vmm) return;
    // A state that was resumed from must never be resumed from again.
    if (findSuspendState(this.#config)) await this.#saveConfig(withoutSuspendState(this.#config));
    this.#hold(vmm);
    const hardware = await describeHardware(this.host, this.vmxFile, this.#config);
    this.#files = openFiles(hardware);
    vmm.devices.learn(hardware);
    this.#setPower('poweredOn');
    if (vmm.hasAgent) this.#agentChanged(true);
    if (!(await vmm.isRunning())) this.#ask(true, 'the disk was full before hostd was restarted');
  }

  /** Tries again to run a machine that waits for room on its datastore. */
  async spaceReturned(): Promise<void> {
    if (this.#question) await this.#retry().catch(() => undefined);
  }

  /** hostd ends: the guest runs on. */
  release(): void {
    const vmm = this.#vmm;
    this.#letGo();
    vmm?.release();
  }

  /** Reads the VMX again (it was edited by hand, or replaced). Only while powered off. */
  reload(request: Request): Promise<void> {
    return this.#enter('rename', request, async () => {
      checkPowerState('powerOn', this.#power);
      this.#config = await readVmx(this.host, this.vmxFile);
      this.#changed('config', 'files');
    });
  }

  #enter<T>(kind: VmRequest, request: Request, work: () => Promise<T>): Promise<T> {
    return this.#queue.enter({ request: kind, task: request.task }, async () => {
      checkPowerState(kind, this.#power);
      return work();
    });
  }

  async #start(request: Request): Promise<void> {
    const saved = findSuspendState(this.#config);
    this.#post(saved ? 'VmResumingEvent' : 'VmStartingEvent', request);
    try {
      await this.#saveConfig(connectForPowerOn(this.#config));
      const hardware = await describeHardware(this.host, this.vmxFile, this.#config);
      this.#files = openFiles(hardware);
      const vmm = await this.host.vmms.start(
        {
          id: this.id,
          vmxFile: this.vmxFile,
          hardware,
          vmName: this.name,
          cpu: {
            shares: this.#config.cpuAllocation?.shares?.shares ?? 1000 * this.#config.hardware.numCPU,
            limitMhz: this.#config.cpuAllocation?.limit ?? -1,
          },
          ...(saved ? { resumeFrom: join(this.folder, saved) } : {}),
          // Forgotten on disk before the guest runs: a second resume of the same state would destroy its disks.
          beforeRun: async () => {
            if (saved) await this.#saveConfig(withoutSuspendState(this.#config));
          },
        },
        this.#events,
      );
      this.#hold(vmm);
    } catch (error) {
      const fault =
        error instanceof MethodFault ? error : new MethodFault('GenericVmConfigFault', { reason: text(error) });
      this.host.log.warn({ vm: this.id, err: error }, 'power-on failed');
      this.host.post(vmFailedToPowerOn(this.subject, fault, request.userName));
      throw fault;
    }
    if (saved) await rm(join(this.folder, saved), { force: true });
    this.#setPower('poweredOn');
    this.#post('VmPoweredOnEvent', request);
  }

  async #dropSuspendState(): Promise<void> {
    const saved = findSuspendState(this.#config);
    if (!saved) return;
    await this.#saveConfig(withoutSuspendState(this.#config));
    await rm(join(this.folder, saved), { force: true });
  }

  async #askGuest(mode: 'powerdown' | 'reboot'): Promise<void> {
    const vmm = this.#running();
    if (this.#tools === 'running') await vmm.agent.shutdown(mode);
    else await vmm.powerDown();
  }

  // The descriptors of the disks, which the machine itself does not open.
  #describedFiles(): string[] {
    return (this.#config.hardware.device ?? []).flatMap(({ backing }) =>
      isA('VirtualDeviceFileBackingInfo', backing) && backing.fileName.endsWith('.vmdk')
        ? [this.host.paths.resolve(backing.fileName)]
        : [],
    );
  }

  #running(): Vmm {
    if (!this.#vmm)
      throw new MethodFault('InvalidPowerState', { requestedState: 'poweredOn', existingState: this.#power });
    return this.#vmm;
  }

  async #saveConfig(config: VirtualMachineConfigInfo): Promise<void> {
    await writeVmx(this.vmxFile, config);
    this.#config = config;
    this.#changed('config');
  }

  #hold(vmm: Vmm): void {
    const { clock, cpuMhz } = this.host;
    this.#vmm = vmm;
    this.#statsWatch = new StatsWatch({
      clock,
      cpuMhz,
      usage: () => vmm.usage(),
      sampled: (stats) => {
        this.#stats = stats;
        this.#changed('stats');
      },
    });
  }

  #letGo(): void {
    this.#statsWatch?.stop();
    this.#guestWatch?.stop();
    this.#statsWatch = this.#guestWatch = this.#stats = this.#guest = this.#question = this.#vmm = undefined;
    if (this.#tools === 'running') this.#tools = 'notRunning';
    this.#config = disconnectForPowerOff(this.#config);
    this.#changed('config');
  }

  #setPower(power: PowerState): void {
    this.#power = power;
    this.#changed('runtime', 'guest', 'files');
  }

  #changed(...aspects: VmAspect[]): void {
    for (const listener of this.#listeners) listener(aspects);
  }

  #post(type: Parameters<typeof vmEvent>[0], request?: Request): void {
    this.host.post(vmEvent(type, this.subject, request?.userName));
  }

  #ask(noSpace: boolean, reason: string): void {
    if (this.#question) return;
    this.#questions += 1;
    this.#question = diskQuestion(`${this.id}-${this.#questions}`, noSpace, reason);
    this.host.post(vmMessage(this.subject, this.#question.text, this.#question.message));
    this.#changed('runtime');
  }

  async #retry(): Promise<void> {
    await this.#running().continue();
    this.#question = undefined;
    this.#changed('runtime');
  }

  readonly #events: VmmEvents = {
    ended: (ending) => this.#ended(ending),
    reset: () => undefined,
    ioError: ({ noSpace, reason, device }) => this.#ask(noSpace, `${device}: ${reason}`),
    resumed: () => {
      if (!this.#question) return;
      this.#question = undefined;
      this.#changed('runtime');
    },
    agent: (connected) => this.#agentChanged(connected),
    macChanged: () => this.#guestWatch?.hurry(),
  };

  // Only for ends that nobody asked for: a request that ends the machine says so itself.
  #ended(ending: Ending): void {
    if (ending.kind === 'requested' || this.#power !== 'poweredOn') return;
    this.#letGo();
    if (ending.kind === 'died') this.host.post(vmDied(this.subject, ending.detail));
    this.#setPower('poweredOff');
    this.#post('VmPoweredOffEvent');
    if (this.#startAgain) {
      this.#startAgain = false;
      this.powerOn({ progress() {} }).catch((error: unknown) => {
        this.host.log.warn({ vm: this.id, err: error }, 'the guest shut down to reboot, but did not start again');
      });
    }
  }

  #agentChanged(connected: boolean): void {
    this.#guestWatch?.stop();
    this.#guestWatch = undefined;
    const agent = this.#vmm?.agent;
    if (!connected || !agent) {
      if (this.#tools === 'running') this.#tools = 'notRunning';
      this.#guest = undefined;
      this.#changed('guest');
      return;
    }
    this.#guestWatch = new GuestWatch({
      clock: this.host.clock,
      agent,
      heard: (facts) => {
        this.#tools = 'running';
        this.#guest = facts;
        this.#changed('guest');
      },
      silent: () => {
        if (this.#tools !== 'running') return;
        this.#tools = 'notRunning';
        this.#changed('guest');
      },
    });
  }
}

/** Reads a VM's configuration; throws when it cannot be read. */
export async function openVm(host: VmHost, id: string, vmxFile: string): Promise<Vm> {
  return new Vm(host, id, vmxFile, await readVmx(host, vmxFile));
}

function stem(vmxFile: string): string {
  return vmxFile.slice(vmxFile.lastIndexOf('/') + 1).replace(/\.vmx$/, '');
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
