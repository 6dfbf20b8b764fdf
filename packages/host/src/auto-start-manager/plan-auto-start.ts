// Which VMs start with the host, and in which order. Pure.
// Source: vSphere API, HostAutoStartManager, AutoStartPowerInfo: orders count from 1, -1 means "any order", after the others.
import { type AutoStartDefaults, type AutoStartPowerInfo, type HostAutoStartManagerConfig, make } from '@vivarium/vim';

export const AUTO_START_DEFAULTS: AutoStartDefaults = make('AutoStartDefaults', {
  enabled: false,
  startDelay: 120,
  stopDelay: 120,
  waitForHeartbeat: false,
  stopAction: 'PowerOff',
});

export interface StartStep {
  /** Moref value. */
  readonly vm: string;
  /** Seconds to wait after this VM before the next one. */
  readonly delaySeconds: number;
}

/** The VMs to power on when the machine has booted, in order; none while autostart is off. */
export function planAutoStart(config: HostAutoStartManagerConfig): StartStep[] {
  const { defaults = AUTO_START_DEFAULTS, powerInfo = [] } = config;
  if (!defaults.enabled) return [];
  const order = ({ startOrder }: AutoStartPowerInfo) => (startOrder < 0 ? Number.POSITIVE_INFINITY : startOrder);
  return powerInfo
    .filter(({ startAction }) => startAction.toLowerCase() === 'poweron')
    .toSorted((a, b) => order(a) - order(b) || 0)
    .map(({ key, startDelay }) => ({
      vm: key.value,
      delaySeconds: startDelay < 0 ? (defaults.startDelay ?? 0) : startDelay,
    }));
}

/** A configuration with a change laid over it: defaults that are left out stay; a VM's entry replaces its former one. */
export function mergeAutoStart(
  config: HostAutoStartManagerConfig,
  change: HostAutoStartManagerConfig,
): HostAutoStartManagerConfig {
  const entries = new Map((config.powerInfo ?? []).map((entry) => [entry.key.value, entry]));
  for (const entry of change.powerInfo ?? []) entries.set(entry.key.value, entry);
  const defaults = { ...AUTO_START_DEFAULTS, ...config.defaults, ...change.defaults };
  return make('HostAutoStartManagerConfig', { defaults, powerInfo: [...entries.values()] });
}
