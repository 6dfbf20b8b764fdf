// The public face of a hostd on a simulated machine: the real daemon, with files in a folder, over guests that run nothing.

import { type Hostd, type HostdContext, startHostd } from './hostd.ts';
import { INITIAL_CONFIGURATION } from './network/configuration.ts';
import { statePaths } from './options.ts';
import { type SimulatedHardware, simulatedHostMachine } from './simulated/simulated-host-machine.ts';

export type { Hostd } from './hostd.ts';

export interface SimulatedHostdOptions {
  /** A fresh folder. */
  readonly stateDir: string;
  readonly name: string;
  readonly listen: { readonly address: string; readonly port: number };
  /** Of the first datastore. */
  readonly datastore: string;
  readonly hardware: SimulatedHardware;
}

export function startSimulatedHostd(options: SimulatedHostdOptions, context: HostdContext): Promise<Hostd> {
  const { stateDir, name, listen, datastore, hardware } = options;
  const machine = simulatedHostMachine(hardware, { clock: context.clock, configuration: INITIAL_CONFIGURATION });
  return startHostd(
    { stateDir, name, listen, datastore, runtimePath: '', cacheDir: statePaths(stateDir).run },
    { ...context, machine },
  );
}
