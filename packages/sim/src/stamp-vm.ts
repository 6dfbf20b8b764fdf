// VMs that differ in nothing but their identity: one configuration is worked out, the others are stamped from it. What does not
// name the VM is shared. Pure.
import type { VirtualMachineConfigInfo } from '@vivarium/vim';

export interface VmIdentity {
  readonly name: string;
  readonly uuid: string;
  readonly instanceUuid: string;
}

/** `template` with another identity: name in paths, UUIDs, the generated MAC address (made of the UUID, as vmx does). */
export function stampVm(template: VirtualMachineConfigInfo, identity: VmIdentity): VirtualMachineConfigInfo {
  const former = { name: template.name, uuid: template.uuid, instanceUuid: template.instanceUuid ?? '' };
  const pairs = [
    [former.name, identity.name],
    [former.uuid, identity.uuid],
    [former.instanceUuid, identity.instanceUuid],
    [macOf(former.uuid), macOf(identity.uuid)],
  ] as const;
  return stamp(template, pairs) as VirtualMachineConfigInfo;
}

type Pairs = readonly (readonly [from: string, to: string])[];

function stamp(value: unknown, pairs: Pairs): unknown {
  if (typeof value === 'string') {
    let text = value;
    for (const [from, to] of pairs) if (text.includes(from)) text = text.replaceAll(from, to);
    return text;
  }
  if (typeof value !== 'object' || value === null) return value;
  let copy: Record<string, unknown> | undefined;
  for (const [name, part] of Object.entries(value)) {
    const stamped = stamp(part, pairs);
    if (stamped === part) continue;
    copy ??= (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
    copy[name] = stamped;
  }
  return copy ?? value;
}

function macOf(uuid: string): string {
  return `00:0c:29:${uuid.slice(-6).replace(/(..)(..)(..)/, '$1:$2:$3')}`;
}
