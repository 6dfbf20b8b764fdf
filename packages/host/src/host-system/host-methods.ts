// The methods of HostSystem that a host has by itself.
// Source: vSphere Web Services API, HostSystem; api/vim25/internal-methods.json for those that vCenter alone calls.
import { type Handlers, isFault, make } from '@vivarium/vim';
import type { Call, NewEvent, Service } from '@vivarium/vmomi';
import { refs } from '../inventory/refs.ts';
import { connectionInfo } from './connection-info.ts';
import type { MaintenanceMode } from './maintenance-mode.ts';
import type { Management } from './management.ts';

export interface HostMethodsContext {
  readonly service: Service;
  readonly name: string;
  readonly maintenance: MaintenanceMode;
  readonly management: Management;
  /** Of the machine, in seconds. */
  readonly uptime: () => number;
}

type HostEventType =
  | 'EnteringMaintenanceModeEvent'
  | 'EnteredMaintenanceModeEvent'
  | 'ExitMaintenanceModeEvent'
  | 'CanceledHostOperationEvent'
  | 'TimedOutHostOperationEvent';

export function hostMethods({
  service,
  name,
  maintenance,
  management,
  uptime,
}: HostMethodsContext): Handlers<'HostSystem', Call> {
  const { tasks, events, sessions, log } = service;
  const post = (type: HostEventType, call: Call) => {
    const host = make('HostEventArgument', { name, host: refs.host });
    events.post({ _typeName: type, host } as NewEvent<HostEventType>, call);
  };
  return {
    EnterMaintenanceMode_Task({ timeout }, call) {
      const spec = { entity: refs.host, descriptionId: 'HostSystem.enterMaintenanceMode', call, cancelable: true };
      return tasks.start(spec, async ({ signal }) => {
        try {
          const began = () => post('EnteringMaintenanceModeEvent', call);
          await maintenance.enter({ timeoutSeconds: timeout, signal, began });
        } catch (error) {
          if (isFault(error, 'Timedout')) post('TimedOutHostOperationEvent', call);
          if (isFault(error, 'RequestCanceled')) post('CanceledHostOperationEvent', call);
          throw error;
        }
        post('EnteredMaintenanceModeEvent', call);
      });
    },
    ExitMaintenanceMode_Task: (_args, call) =>
      tasks.start({ entity: refs.host, descriptionId: 'HostSystem.exitMaintenanceMode', call }, async () => {
        await maintenance.exit();
        post('ExitMaintenanceModeEvent', call);
      }),
    QueryHostConnectionInfo: (_args, call) => connectionInfo(service, call),
    RetrieveHardwareUptime: () => uptime(),
    async ClaimManagement({ serverIp: said, instanceUuid, force }, call) {
      const serverIp = said === '' ? call.remoteAddress : said;
      const isTaken = await management.claim({ serverIp, instanceUuid }, force);
      log.info({ serverIp, instanceUuid, isTaken, userName: call.session.userName }, 'a vCenter manages this host');
      if (!isTaken) return;
      // The one from which it was taken has no business here any more.
      const others = sessions.list().filter((session) => session.isExtension && session !== call.session);
      for (const session of others) sessions.terminate(session);
    },
    async ReleaseManagement({ instanceUuid }, call) {
      await management.release(instanceUuid);
      log.info({ instanceUuid, userName: call.session.userName }, 'no vCenter manages this host');
    },
  };
}
