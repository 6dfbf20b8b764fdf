// HostNetworkSystem: changes the host's virtual network one after the other. A change that is answered is on the switch and
// on disk; one that fails is on neither.
import { type Logger, Mutex } from '@vivarium/base';
import type { Store } from '@vivarium/store';
import { type Handlers, MethodFault } from '@vivarium/vim';
import type { Call } from '@vivarium/vmomi';
import type { NetworkConfiguration } from '../network/configuration.ts';
import type { MachineNetwork } from '../network/machine/machine-network.ts';
import { NetworkError, type NetworkProvider } from '../network/provider.ts';
import { applyNetworkConfig } from './apply-network-config.ts';
import {
  addPortGroup,
  addVirtualSwitch,
  type InUse,
  removePortGroup,
  removeVirtualSwitch,
  updatePortGroup,
  updateVirtualSwitch,
} from './change-configuration.ts';
import { networkHints } from './physical-nic.ts';
import { storeConfiguration } from './stored-configuration.ts';
import type { Adapters } from './uplinks.ts';

export interface NetworkSystemOptions {
  readonly network: NetworkProvider;
  readonly store: Pick<Store, 'batch'>;
  readonly log: Logger;
  readonly machine: () => MachineNetwork;
  /** Shows the network as it is now: after every change, and when somebody asks for it. */
  readonly publish: () => void;
}

type Plan = (configuration: NetworkConfiguration, inUse: InUse, adapters: Adapters) => NetworkConfiguration;

export function networkSystemHandlers(options: NetworkSystemOptions): Handlers<'HostNetworkSystem', Call> {
  const mutex = new Mutex();
  const change = (plan: Plan, renamed?: Renamed) => mutex.run(() => changeNetwork(options, plan, renamed));
  return {
    AddVirtualSwitch: ({ vswitchName, spec }) =>
      change((now, _inUse, adapters) => addVirtualSwitch(now, vswitchName, spec, adapters)),
    UpdateVirtualSwitch: ({ vswitchName, spec }) =>
      change((now, _inUse, adapters) => updateVirtualSwitch(now, vswitchName, spec, adapters)),
    RemoveVirtualSwitch: ({ vswitchName }) => change((now, inUse) => removeVirtualSwitch(now, vswitchName, inUse)),
    AddPortGroup: ({ portgrp }) => change((now) => addPortGroup(now, portgrp)),
    UpdatePortGroup: ({ pgName, portgrp }) =>
      change((now) => updatePortGroup(now, pgName, portgrp), { from: pgName, to: portgrp.name }),
    RemovePortGroup: ({ pgName }) => change((now, inUse) => removePortGroup(now, pgName, inUse)),
    UpdateNetworkConfig: async ({ config, changeMode }) => {
      await change((now, inUse, adapters) => applyNetworkConfig(now, config, changeMode, inUse, adapters));
      return { _typeName: 'HostNetworkConfigResult' };
    },
    QueryNetworkHint: ({ device }) => networkHints(options.machine(), options.network.adapters(), device),
    RefreshNetworkSystem: () => options.publish(),
  };
}

interface Renamed {
  readonly from: string;
  readonly to: string;
}

async function changeNetwork(options: NetworkSystemOptions, plan: Plan, renamed: Renamed | undefined): Promise<void> {
  const { network, store, log, publish } = options;
  if (network.mode === 'user') {
    throw new MethodFault(
      'NotSupported',
      {},
      'A host without root has user-mode networking: there is no switch to change.',
    );
  }
  const former = network.configuration;
  const inUse = new Set(network.ports().map(({ portGroup }) => portGroup));
  const next = plan(former, inUse, network.adapters());
  await using undo = new AsyncDisposableStack();
  await applyOrRefuse(network, next, renamed);
  undo.defer(async () => {
    const back = renamed && { from: renamed.to, to: renamed.from };
    await network.apply(former, back).catch((error: unknown) => log.error({ err: error }, 'network change stays'));
  });
  await storeConfiguration(store, next);
  undo.move();
  publish();
}

async function applyOrRefuse(
  network: NetworkProvider,
  next: NetworkConfiguration,
  renamed: Renamed | undefined,
): Promise<void> {
  try {
    await network.apply(next, renamed);
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    throw new MethodFault('PlatformConfigFault', { text: error.message }, error.message, { cause: error });
  }
}
