// HostDateTimeSystem: the time and where it comes from, for information. As on ESXi, times are told in UTC alone.
import { dateTime } from '@vivarium/base';
import { type HostDateTimeInfo, make, moRef } from '@vivarium/vim';
import type { Service } from '@vivarium/vmomi';
import { refs } from '../inventory/refs.ts';

export interface TimeSource {
  readonly servers: readonly string[];
  /** Something keeps the clock. */
  readonly isKept: boolean;
}

export const DATE_TIME_SYSTEM = moRef('HostDateTimeSystem', 'ha-datetimesystem');

const UTC = { key: 'UTC', name: 'UTC', description: 'UTC', gmtOffset: 0 } as const;

/** `read` looks at the machine: when this is called and whenever somebody asks for it. */
export function addDateTimeSystem({ graph, clock }: Pick<Service, 'graph' | 'clock'>, read: () => TimeSource): void {
  const refresh = () => {
    const info = dateTimeInfo(read());
    system.set('dateTimeInfo', info);
    graph.get(refs.host).set('config.dateTimeInfo', info);
  };
  const system = graph.add(
    DATE_TIME_SYSTEM,
    {},
    {
      QueryDateTime: () => dateTime(clock),
      QueryAvailableTimeZones: () => [make('HostDateTimeSystemTimeZone', UTC)],
      RefreshDateTimeSystem: refresh,
    },
    { entity: refs.host },
  );
  refresh();
}

function dateTimeInfo({ servers, isKept }: TimeSource): HostDateTimeInfo {
  return make('HostDateTimeInfo', {
    timeZone: make('HostDateTimeSystemTimeZone', UTC),
    systemClockProtocol: 'ntp',
    ntpConfig: make('HostNtpConfig', { server: [...servers] }),
    enabled: isKept,
  });
}
