// HostDateTimeSystem: the time and where it comes from, for information. As on ESXi, times are told in UTC alone.
import { dateTime } from '@vivarium/base';
import { make, moRef } from '@vivarium/vim';
import type { Service } from '@vivarium/vmomi';
import { refs } from '../inventory/refs.ts';
import { dateTimeInfo, type TimeSource, UTC } from './date-time-info.ts';

export const DATE_TIME_SYSTEM = moRef('HostDateTimeSystem', 'ha-datetimesystem');

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
