// Services in vSphere's words. Pure.
import { type HostServiceInfo, make } from '@vivarium/vim';

/** `key`: as ESXi calls the service. `ruleset`: of its firewall rules. */
export interface ServiceFacts {
  readonly key: string;
  readonly label: string;
  readonly ruleset: string;
  readonly isRunning: boolean;
  /** Starts with the machine. */
  readonly isEnabled: boolean;
}

export function serviceInfo(services: readonly ServiceFacts[]): HostServiceInfo {
  return make('HostServiceInfo', {
    service: services.map(({ key, label, ruleset, isRunning, isEnabled }) =>
      make('HostService', {
        key,
        label,
        required: false,
        uninstallable: false,
        running: isRunning,
        ruleset: [ruleset],
        policy: isEnabled ? 'on' : 'off',
      }),
    ),
  });
}
