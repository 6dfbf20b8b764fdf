// HostAutoStartManager: its configuration is kept in the store and obeyed once after each boot of the machine. A hostd that was
// only restarted goes on with what was interrupted, and else starts nothing: its guests never stopped.
import { Mutex } from '@vivarium/base';
import type { Store } from '@vivarium/store';
import { type Handlers, type HostAutoStartManagerConfig, MethodFault, make, moRef } from '@vivarium/vim';
import type { Call, Service } from '@vivarium/vmomi';
import { refs } from '../inventory/refs.ts';
import type { Vm } from '../vm/vm.ts';
import { startAfterBoot, startInOrder } from './auto-start-sequence.ts';
import { AUTO_START_DEFAULTS, mergeAutoStart, planAutoStart } from './plan-auto-start.ts';

const CONFIG = 'auto-start/config';

export const AUTO_START_MANAGER = moRef('HostAutoStartManager', 'ha-autostart-mgr');

export interface AutoStartContext {
  readonly service: Service;
  readonly store: Store;
  readonly findVm: (id: string) => Vm | undefined;
}

export interface AutoStart {
  /** Powers on what is to start with the machine, if it has booted since the last time. `boot`: id of the boot. */
  obey(boot: string, signal: AbortSignal): Promise<void>;
}

export function addAutoStartManager({ service, store, findVm }: AutoStartContext): AutoStart {
  const { clock, log } = service;
  const stored = store.get<HostAutoStartManagerConfig>(CONFIG)?.value;
  const initial = stored ?? make('HostAutoStartManagerConfig', { defaults: AUTO_START_DEFAULTS, powerInfo: [] });
  const config = () => object.get('config') ?? initial;
  /** A specification is merged into what there is: one at a time. */
  const writing = new Mutex();

  const context = { clock, log, findVm };
  const handlers: Handlers<'HostAutoStartManager', Call> = {
    ReconfigureAutostart: ({ spec }) =>
      writing.run(async () => {
        const strangers = (spec.powerInfo ?? []).filter(({ key }) => !findVm(key.value));
        if (strangers.length > 0) throw new MethodFault('InvalidArgument', { invalidProperty: 'spec.powerInfo.key' });
        const next = mergeAutoStart(config(), spec);
        await store.batch([{ put: CONFIG, value: next }]);
        show(next);
      }),
    AutoStartPowerOn: (_args, call) =>
      startInOrder(context, { delaySeconds: 0, steps: planAutoStart(config()) }, call.signal),
    AutoStartPowerOff: async () => {
      for (const { vm: id } of planAutoStart(config()).toReversed()) {
        const vm = findVm(id);
        if (vm?.power === 'poweredOn') await vm.powerOff({ progress() {} });
      }
    },
  };
  const object = service.graph.add(AUTO_START_MANAGER, {}, handlers, { entity: refs.host });
  const show = (now: HostAutoStartManagerConfig) => {
    object.set('config', now);
    service.graph.get(refs.host).set('config.autoStart', now);
  };
  show(initial);
  return {
    obey: (boot, signal) => startAfterBoot(store, context, { boot, plan: () => planAutoStart(config()), signal }),
  };
}
