// The methods of the folder that a host's VMs lie in: CreateVM and RegisterVM.
// Source: vSphere Web Services API, Folder.
import { type Handlers, MethodFault } from '@vivarium/vim';
import type { Call, Service } from '@vivarium/vmomi';
import { refs } from '../inventory/refs.ts';
import type { Request } from '../vm/vm.ts';
import type { VmRegistry } from '../vm/vm-registry.ts';

export interface VmFolderContext {
  readonly service: Service;
  /** Late: the folder is in the graph before the VMs are loaded. */
  readonly registry: () => VmRegistry;
}

export function vmFolderMethods({ service, registry }: VmFolderContext): Handlers<'Folder', Call> {
  const task = (operation: string, call: Call, work: (request: Request) => Promise<{ ref: unknown }>) =>
    service.tasks.start({ entity: refs.vmFolder, descriptionId: `Folder.${operation}`, call }, async (handle) => {
      const vm = await work({
        task: handle.ref,
        userName: call.session.userName,
        progress: (percent) => handle.progress(percent),
      });
      return { _typeName: 'ManagedObjectReference', ...(vm.ref as object) };
    });
  return {
    CreateVM_Task: ({ config, pool, host }, call) => {
      checkHost(host);
      return task('createVm', call, (request) => registry().create(request, config, { pool: pool.value }));
    },
    RegisterVM_Task: ({ path, name, asTemplate, pool, host }, call) => {
      checkHost(host);
      if (asTemplate) throw new MethodFault('NotSupported', {}, 'a host keeps no templates; vCenter does');
      return task('registerVm', call, (request) => registry().register(request, path, name, pool?.value));
    },
  };
}

function checkHost(host: { value: string } | undefined): void {
  if (host && host.value !== refs.host.value) throw new MethodFault('InvalidArgument', { invalidProperty: 'host' });
}
