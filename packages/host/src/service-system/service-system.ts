// HostServiceSystem: which services run beside hostd, for information. They are the machine's and are not started or stopped here.
import { type Handlers, moRef } from '@vivarium/vim';
import type { Call, Service } from '@vivarium/vmomi';
import { refs } from '../inventory/refs.ts';
import { type ServiceFacts, serviceInfo } from './service-info.ts';

export const SERVICE_SYSTEM = moRef('HostServiceSystem', 'ha-servicesystem');

/** `read` looks at the machine: when this is called and whenever somebody asks for it. */
export function addServiceSystem(service: Pick<Service, 'graph'>, read: () => readonly ServiceFacts[]): void {
  const { graph } = service;
  const refresh = () => {
    const info = serviceInfo(read());
    system.set('serviceInfo', info);
    graph.get(refs.host).set('config.service', info);
  };
  const handlers: Handlers<'HostServiceSystem', Call> = { RefreshServices: refresh };
  const system = graph.add(SERVICE_SYSTEM, {}, handlers, { entity: refs.host });
  refresh();
}
