// What a guest tells of itself: com.vmware.vcenter.vm.guest.identity, .local_filesystem, and com.vmware.vcenter.vm.tools.
import type { GuestInfo, ManagedTypeName } from '@vivarium/vim';
import type { Call } from '@vivarium/vmomi';
import { type Operation, operation } from '../operation.ts';
import { flag, integer, mapOf, oneOf, optional, struct, text } from '../shape.ts';
import { localizableMessage } from '../standard-shapes.ts';
import { message, VapiError } from '../vapi-error.ts';
import { guestFamilyOf, guestOs, guestOsFamily, guestOsOf } from './guest-os.ts';
import type { InventoryReader } from './inventory-reader.ts';
import { vmId } from './vm-shapes.ts';

const VM = ['VirtualMachine'] as const satisfies readonly ManagedTypeName[];
const IDENTITY = '/vcenter/vm/{vm}/guest/identity';
const FILESYSTEM = '/vcenter/vm/{vm}/guest/local-filesystem';
const TOOLS = '/vcenter/vm/{vm}/tools';

const identityInfo = struct('com.vmware.vcenter.vm.guest.identity.info', {
  name: guestOs,
  family: guestOsFamily,
  full_name: localizableMessage,
  host_name: text,
  ip_address: optional(text),
});

const filesystemInfo = struct('com.vmware.vcenter.vm.guest.local_filesystem.info', {
  capacity: integer,
  free_space: integer,
  filesystem: optional(text),
});

const TOOLS_STATES = {
  guestToolsNotInstalled: 'NOT_INSTALLED',
  guestToolsCurrent: 'CURRENT',
  guestToolsUnmanaged: 'UNMANAGED',
  guestToolsTooOld: 'TOO_OLD_UNSUPPORTED',
  guestToolsSupportedOld: 'SUPPORTED_OLD',
  guestToolsSupportedNew: 'SUPPORTED_NEW',
  guestToolsTooNew: 'TOO_NEW',
  guestToolsBlacklisted: 'BLACKLISTED',
} as const;

const RUN_STATES = {
  guestToolsNotRunning: 'NOT_RUNNING',
  guestToolsRunning: 'RUNNING',
  guestToolsExecutingScripts: 'EXECUTING_SCRIPTS',
} as const;

const toolsInfo = struct('com.vmware.vcenter.vm.tools.info', {
  auto_update_supported: flag,
  version_number: optional(integer),
  version: optional(text),
  upgrade_policy: oneOf('com.vmware.vcenter.vm.tools.upgrade_policy', ['MANUAL', 'UPGRADE_AT_POWER_CYCLE']),
  version_status: optional(oneOf('com.vmware.vcenter.vm.tools.version_status', Object.values(TOOLS_STATES))),
  run_state: oneOf('com.vmware.vcenter.vm.tools.run_state', Object.values(RUN_STATES)),
});

export function vmGuestOperations(reader: InventoryReader): Operation[] {
  const guestOf = (vm: string, call: Call) => reader.get(VM, vm, call).getPath('guest') as GuestInfo | undefined;
  return [
    operation({
      service: 'com.vmware.vcenter.vm.guest.identity',
      name: 'get',
      summary: 'Tells what the guest is and what it is called.',
      params: { vm: vmId },
      result: identityInfo,
      errors: ['error', 'not_found', 'service_unavailable', 'unauthorized'],
      doors: { rest: { method: 'GET', path: IDENTITY }, api: { method: 'GET', path: IDENTITY } },
      run({ vm }, { call }) {
        const guest = guestOf(vm, call);
        const { guestId, guestFullName = '', hostName } = guest ?? {};
        if (guestId === undefined || hostName === undefined) throw silent(vm);
        return {
          name: guestOsOf(guestId),
          family: guestFamilyOf(guest?.guestFamily),
          full_name: message(`vmsg.guestos.${guestId}.label`, guestFullName),
          host_name: hostName,
          ip_address: guest?.ipAddress,
        };
      },
    }),
    operation({
      service: 'com.vmware.vcenter.vm.guest.local_filesystem',
      name: 'get',
      summary: "Tells of the guest's file systems, by mount point.",
      params: { vm: vmId },
      result: mapOf(filesystemInfo),
      errors: ['error', 'not_found', 'service_unavailable', 'unauthorized'],
      doors: { rest: { method: 'GET', path: FILESYSTEM }, api: { method: 'GET', path: FILESYSTEM } },
      run({ vm }, { call }) {
        const disks = guestOf(vm, call)?.disk;
        if (!disks) throw silent(vm);
        return Object.fromEntries(
          disks.map(({ diskPath = '', capacity = 0, freeSpace = 0, filesystemType }) => [
            diskPath,
            { capacity, free_space: freeSpace, filesystem: filesystemType },
          ]),
        );
      },
    }),
    operation({
      service: 'com.vmware.vcenter.vm.tools',
      name: 'get',
      summary: 'Tells of the tools in the guest.',
      params: { vm: vmId },
      result: toolsInfo,
      errors: ['error', 'not_found', 'unauthorized'],
      doors: { rest: { method: 'GET', path: TOOLS }, api: { method: 'GET', path: TOOLS } },
      run({ vm }, { call }) {
        const guest = guestOf(vm, call);
        const version = Number(guest?.toolsVersion);
        return {
          auto_update_supported: false,
          version_number: Number.isSafeInteger(version) ? version : undefined,
          version: guest?.toolsVersion,
          upgrade_policy: 'MANUAL' as const,
          version_status: TOOLS_STATES[guest?.toolsVersionStatus2 as keyof typeof TOOLS_STATES],
          run_state: RUN_STATES[guest?.toolsRunningStatus as keyof typeof RUN_STATES] ?? 'NOT_RUNNING',
        };
      },
    }),
  ];
}

function silent(vm: string): VapiError {
  const text = `VMware Tools in the virtual machine with identifier '${vm}' provided no information.`;
  return new VapiError(
    'service_unavailable',
    message('com.vmware.api.vcenter.vm.guest.information_not_available', text, vm),
  );
}
