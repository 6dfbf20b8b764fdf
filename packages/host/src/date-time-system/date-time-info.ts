// Where a host's time comes from, in vSphere's words. As on ESXi, times are told in UTC alone. Pure.
import { type HostDateTimeInfo, make } from '@vivarium/vim';

export interface TimeSource {
  readonly servers: readonly string[];
  /** Something keeps the clock. */
  readonly isKept: boolean;
}

export const UTC = { key: 'UTC', name: 'UTC', description: 'UTC', gmtOffset: 0 } as const;

export function dateTimeInfo({ servers, isKept }: TimeSource): HostDateTimeInfo {
  return make('HostDateTimeInfo', {
    timeZone: make('HostDateTimeSystemTimeZone', UTC),
    systemClockProtocol: 'ntp',
    ntpConfig: make('HostNtpConfig', { server: [...servers] }),
    enabled: isKept,
  });
}
