// DiagnosticManager of vCenter: its own log, and those of its hosts, which read them themselves.
// Source: vSphere Web Services API, DiagnosticManager.
import { type Handlers, type MoRef, moRef } from '@vivarium/vim';
import { browseLog, type Call, logDescriptor } from '@vivarium/vmomi';
import type { Center } from './center.ts';

const MANAGER = moRef('DiagnosticManager', 'DiagMgr');
const ON_HOST = moRef('DiagnosticManager', 'ha-diagnosticmgr');

/** `logFile`: absolute; without one vCenter keeps no log. */
export function addDiagnosticManager({ service, forwarder }: Center, logFile: string | undefined): void {
  const log = logFile === undefined ? undefined : ownLog(logFile);
  const askHost = (host: MoRef<'HostSystem'>, method: string, args: object, { signal }: Call) =>
    forwarder.callLocal(host, ON_HOST, method, args, signal) as Promise<never>;
  const handlers: Handlers<'DiagnosticManager', Call> = {
    QueryDescriptions({ host }, call) {
      if (host) return askHost(host, 'QueryDescriptions', {}, call);
      return log ? [logDescriptor(log)] : [];
    },
    BrowseDiagnosticLog({ host, ...args }, call) {
      return host ? askHost(host, 'BrowseDiagnosticLog', args, call) : browseLog(log, args);
    },
  };
  service.graph.add(MANAGER, {}, handlers);
  service.extendContent({ diagnosticManager: MANAGER });
}

const ownLog = (file: string) => ({
  key: 'vpxd:vpxd.log',
  file,
  creator: 'vpxd',
  label: 'vCenter Server log',
  summary: 'Log of vpxd, one JSON record a line',
});
