// The methods of VirtualMachine, each a task or a call on the VM's driver.
// Source: vSphere Web Services API, VirtualMachine.
import {
  type Handlers,
  MethodFault,
  make,
  type VirtualMachineConfigSpec,
  type VirtualMachineTicket,
} from '@vivarium/vim';
import type { Call, Service } from '@vivarium/vmomi';
import type { ConsoleTickets } from '../console/console-tickets.ts';
import type { Request, Vm } from '../vm/vm.ts';
import { vmTicketAcquired } from '../vm/vm-events.ts';
import type { VmRegistry } from '../vm/vm-registry.ts';
import { saveScreenshot } from './screenshot.ts';
import { keyStrokes } from './usb-scan-codes.ts';

export interface VmMethodsContext {
  readonly service: Service;
  readonly registry: Pick<VmRegistry, 'destroy' | 'unregister' | 'reconfigure'>;
  readonly tickets: ConsoleTickets;
  /** Where consoles are served: for the tickets' URL. */
  readonly endpoint: { readonly port: number; readonly sslThumbprint: string };
  readonly refreshStorage: () => Promise<void>;
}

export function vmMethods(vm: Vm, context: VmMethodsContext): Handlers<'VirtualMachine', Call> {
  const { service, registry } = context;
  const task = (operation: string, call: Call, work: (request: Request) => Promise<unknown>) =>
    service.tasks.start({ entity: vm.ref, descriptionId: `VirtualMachine.${operation}`, call }, (handle) =>
      work({
        task: handle.ref,
        userName: call.session.userName,
        progress: (percent) => handle.progress(percent),
      }),
    );
  const direct = (call: Call): Request => ({ userName: call.session.userName, progress() {} });
  const reconfigure = async (request: Request, spec: VirtualMachineConfigSpec) => {
    await registry.reconfigure(request, vm, spec);
    // Whoever hears that the task is done finds new disks in layoutEx.
    await context.refreshStorage().catch((error: unknown) => {
      vm.host.log.warn({ vm: vm.id, err: error }, 'the layout is not readable');
    });
  };
  return {
    PowerOnVM_Task: ({ host }, call) =>
      task('powerOn', call, async (request) => {
        if (host && host.value !== vm.host.ref.value) {
          throw new MethodFault('InvalidArgument', { invalidProperty: 'host' });
        }
        await vm.powerOn(request);
      }),
    PowerOffVM_Task: (_args, call) => task('powerOff', call, (request) => vm.powerOff(request)),
    SuspendVM_Task: (_args, call) => task('suspend', call, (request) => vm.suspend(request)),
    ResetVM_Task: (_args, call) => task('reset', call, (request) => vm.reset(request)),
    ShutdownGuest: (_args, call) => vm.shutdownGuest(direct(call)),
    RebootGuest: (_args, call) => vm.rebootGuest(direct(call)),
    ReconfigVM_Task: ({ spec }, call) => task('reconfigure', call, (request) => reconfigure(request, spec)),
    UpgradeVM_Task: ({ version }, call) =>
      task('upgradeVirtualHardware', call, (request) => vm.upgrade(request, version)),
    Rename_Task: ({ newName }, call) => task('rename', call, (request) => reconfigure(request, { name: newName })),
    Destroy_Task: (_args, call) => task('destroy', call, (request) => registry.destroy(request, vm)),
    UnregisterVM: (_args, call) => registry.unregister(direct(call), vm),
    AnswerVM: ({ questionId, answerChoice }, call) => vm.answer(direct(call), questionId, answerChoice),
    AcquireTicket: ({ ticketType }, call) => acquireTicket(vm, context, ticketType, call),
    AcquireMksTicket: () => {
      throw new MethodFault('NotSupported', {}, 'mks tickets are not issued; ask for a webmks ticket');
    },
    CreateScreenshot_Task: (_args, call) =>
      task('createScreenshot', call, async (request) => ({
        _typeName: 'string',
        _value: await saveScreenshot(vm, request),
      })),
    PutUsbScanCodes: async ({ spec }, call) => {
      const strokes = keyStrokes(spec);
      await vm.sendKeys(direct(call), strokes);
      return strokes.length;
    },
    RefreshStorageInfo: () => context.refreshStorage(),
    Reload: (_args, call) => vm.reload(direct(call)),
    SetScreenResolution: () => {
      throw new MethodFault('NotSupported', {});
    },
  };
}

function acquireTicket(vm: Vm, context: VmMethodsContext, ticketType: string, call: Call): VirtualMachineTicket {
  if (ticketType !== 'webmks') throw new MethodFault('NotSupported', {}, `${ticketType} tickets are not issued`);
  vm.checkConsole();
  const { userName } = call.session;
  const ticket = context.tickets.issue({ vm: vm.id, userName });
  vm.host.post(vmTicketAcquired(vm.subject, ticketType, userName));
  const { port, sslThumbprint } = context.endpoint;
  // The client reaches us at the address that it has called.
  const address = plainAddress(call.localAddress);
  return make('VirtualMachineTicket', {
    ticket,
    cfgFile: vm.host.paths.format(vm.vmxFile),
    host: address,
    port,
    sslThumbprint,
    url: `wss://${address.includes(':') ? `[${address}]` : address}:${port}/ticket/${ticket}`,
  });
}

// Addresses of IPv4 clients on a socket for both families look like `::ffff:192.0.2.1`.
function plainAddress(address = 'localhost'): string {
  return address.replace(/^::ffff:/i, '');
}
