// VMs that differ in nothing but their identity: one configuration is worked out, the others are stamped from it. What does not
// name the VM is shared. Pure.
import type { VirtualMachineConfigInfo } from '@vivarium/vim';

export interface VmIdentity {
  readonly name: string;
  readonly uuid: string;
  readonly instanceUuid: string;
}

/** What of an identity stands in a text. */
type Facts = Readonly<Record<(typeof KINDS)[number], string>>;

const KINDS = ['name', 'uuid', 'instanceUuid', 'mac'] as const;

/** What changes in a value; undefined: nothing. */
type Stamp = ((facts: Facts) => unknown) | undefined;

/**
 * Makes configurations as `template` is, with other identities: name in paths, UUIDs, the generated MAC address (made of the
 * UUID, as vmx does). Where they stand is found once.
 */
export function vmStamper(template: VirtualMachineConfigInfo): (identity: VmIdentity) => VirtualMachineConfigInfo {
  const former = factsOf({ ...template, instanceUuid: template.instanceUuid ?? '' });
  const stamp = stampOf(template, former);
  return (identity) => (stamp?.(factsOf(identity)) ?? template) as VirtualMachineConfigInfo;
}

function factsOf({ name, uuid, instanceUuid }: VmIdentity): Facts {
  return { name, uuid, instanceUuid, mac: macOf(uuid) };
}

function stampOf(value: unknown, former: Facts): Stamp {
  if (typeof value === 'string') return stampOfText(value, former);
  if (typeof value !== 'object' || value === null) return undefined;
  const parts = Object.entries(value).flatMap(([name, part]) => {
    const stamp = stampOf(part, former);
    return stamp ? [{ name, stamp }] : [];
  });
  if (parts.length === 0) return undefined;
  return (facts) => {
    const copy = (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
    for (const { name, stamp } of parts) copy[name] = stamp(facts);
    return copy;
  };
}

function stampOfText(text: string, former: Facts): Stamp {
  const kind = KINDS.find((one) => former[one] !== '' && text.includes(former[one]));
  if (kind === undefined) return undefined;
  const stamps = text.split(former[kind]).map((piece) => ({ piece, stamp: stampOfText(piece, former) }));
  return (facts) => stamps.map(({ piece, stamp }) => stamp?.(facts) ?? piece).join(facts[kind]);
}

function macOf(uuid: string): string {
  return `00:0c:29:${uuid.slice(-6).replace(/(..)(..)(..)/, '$1:$2:$3')}`;
}
