// The configuration of a VM that has just come into being, before its spec is applied: vSphere's defaults.
import { type Random, uuid } from '@vivarium/base';
import type { VirtualMachineConfigInfo, VirtualMachineConfigSpec } from '@vivarium/vim';
import { configFromVmx } from '../config/config-from-vmx.ts';
import { parseDatastorePath } from '../config/datastore-path.ts';
import type { SpecEnvironment } from '../environment.ts';
import { findGuestOs } from '../guest/guest-os.ts';
import { VmxFile } from '../text/vmx-file.ts';
import { formatDdbUuid } from '../vmdk/disk-uuid.ts';
import { invalidArgument } from './invalid-argument.ts';
import { checkVersion, DEFAULT_HARDWARE_VERSION } from './settings/identity-settings.ts';
import { canonicalName } from './settings/vm-name.ts';
import { newVmPath } from './settings/vm-path.ts';

export function newConfig(spec: VirtualMachineConfigSpec, env: SpecEnvironment): VirtualMachineConfigInfo {
  if (spec.name === undefined) throw invalidArgument('name');
  const name = canonicalName(spec.name);
  const guest = findGuestOs(spec.guestId ?? 'otherGuest');
  if (!guest) throw invalidArgument('guestId');
  const version = spec.version ? checkVersion(spec.version, undefined) : `vmx-${DEFAULT_HARDWARE_VERSION}`;
  const vmPathName = newVmPath(spec.files?.vmPathName, name, env);
  const biosUuid = vmwareUuid('564d', env.random);
  const vmx = VmxFile.of({
    'virtualHW.version': `${Number(version.replace('vmx-', ''))}`,
    displayName: name,
    guestOS: guest.vmxName,
    'uuid.bios': formatDdbUuid(biosUuid),
    'uuid.location': formatDdbUuid(biosUuid),
    'vc.uuid': formatDdbUuid(vmwareUuid('52', env.random)),
    'vm.createDate': `${(Date.parse(spec.createDate ?? '') || Date.parse(env.now)) * 1000}`,
    'RemoteDisplay.maxConnections': '-1',
    nvram: `${fileStem(vmPathName)}.nvram`,
    // What VMware writes of its chipset, so that the VM also starts there.
    'svga.present': 'TRUE',
    'hpet0.present': 'TRUE',
    ...bridges(),
    'vm.genid': signed64(env.random),
    'vm.genidX': signed64(env.random),
  });
  return configFromVmx(vmx, { ...surroundingsOf(env), vmPathName, modified: env.now });
}

export function surroundingsOf(env: SpecEnvironment) {
  return { datastores: env.datastores, networks: env.networks, findDisk: (path: string) => env.findDisk(path) };
}

/** ESXi's UUIDs begin with `564d` ("VM"), those that vCenter instances make with `50`, a host's instance UUIDs with `52`. */
function vmwareUuid(prefix: string, random: Random): string {
  return prefix + uuid(random).slice(prefix.length);
}

function bridges(): Record<string, string> {
  const lines: Record<string, string> = { 'pciBridge0.present': 'TRUE' };
  for (const number of [4, 5, 6, 7]) {
    lines[`pciBridge${number}.present`] = 'TRUE';
    lines[`pciBridge${number}.virtualDev`] = 'pcieRootPort';
    lines[`pciBridge${number}.functions`] = '8';
  }
  return lines;
}

function signed64(random: Random): string {
  const bytes = random.bytes(8);
  return `${new DataView(bytes.buffer, bytes.byteOffset, 8).getBigInt64(0)}`;
}

function fileStem(vmPathName: string): string {
  return (parseDatastorePath(vmPathName)?.path.split('/').at(-1) ?? '').replace(/\.vmx$/i, '');
}
