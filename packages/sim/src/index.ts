export { FlagError, parseFlags, type SimFlags } from './flags.ts';
export { type Sim, type SimOptions, startSim } from './sim.ts';
