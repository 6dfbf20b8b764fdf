// Which version of the API a client speaks, and what may be sent to it.

import type { ApiVersion } from './generated/references.ts';
import { type ServiceName, schema, type TypeInfo, type TypeRef } from './schema.ts';
import { wireName } from './type-ref.ts';

/** Dotted numbers compared part by part, missing parts as 0; undefined when a text is not dotted numbers. */
function parseDotted(text: string): number[] | undefined {
  return /^\d{1,6}(\.\d{1,6}){0,7}$/.test(text) ? text.split('.').map(Number) : undefined;
}

function compareDotted(left: readonly number[], right: readonly number[]): number {
  for (let part = 0; part < Math.max(left.length, right.length); part++) {
    const difference = (left[part] ?? 0) - (right[part] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** It puts `urn:` before a namespace that begins so already. */
const GOVMOMI_TUNNEL = 'urn:urn:vim25/';

/**
 * The version of a request from its SOAPAction (`"urn:vim25/8.0.3.0"`, quotes optional). An id that the lattice does not
 * have means the newest version that is not newer (govmomi names its own release, which may be ahead of ours). No id, an
 * empty action (libvirt) or one that is not a vim25 version means the lattice's legacy version, as on ESXi. The services beside
 * /sdk have versions of their own, which we do not tell apart: their clients get the newest; and so does govmomi in the SDK
 * tunnel, where it names none, and asks for methods that the legacy version has not.
 */
export function versionOfSoapAction(soapAction: string | undefined, service: ServiceName = 'vim25'): ApiVersion {
  if (service !== 'vim25' || soapAction === GOVMOMI_TUNNEL) return schema.versions[0] ?? schema.legacyVersion;
  const match = /^"?\s*urn:(?:internal)?vim25?\/([\w.]+)\s*"?$/.exec(soapAction?.trim() ?? '');
  return nearestVersion(match?.[1] ?? '') ?? schema.legacyVersion;
}

/** The version of this id, else the newest one before it; undefined when `id` is no version number or older than all. */
export function nearestVersion(id: string): ApiVersion | undefined {
  const exact = schema.versions.find((version) => version === id);
  if (exact !== undefined) return exact;
  const wanted = parseDotted(id);
  if (wanted === undefined) return undefined;
  return schema.versions.find((version) => {
    const parts = parseDotted(version);
    return parts !== undefined && compareDotted(parts, wanted) <= 0;
  });
}

export function rankOf(version: ApiVersion): number {
  const rank = schema.rank(version);
  if (rank === undefined) throw new RangeError(`unknown API version ${version}`);
  return rank;
}

/** Whether `version` includes everything of `other`. */
export function includesVersion(version: ApiVersion, other: ApiVersion): boolean {
  return rankOf(version) >= rankOf(other);
}

/** The type itself, or its nearest ancestor that a client of this rank knows; undefined when there is none. */
export function knownAncestor(name: string, rank: number): TypeInfo | undefined {
  let info = schema.type(name);
  while (info !== undefined && info.rank > rank) {
    info = info.kind === 'enum' || info.base === undefined ? undefined : schema.type(info.base);
  }
  return info;
}

/** What a non-array type is called under any for a client of this rank; an enum that it does not know is a string. */
export function knownWireName(ref: TypeRef, rank: number): string {
  if (ref.kind !== 'data' && ref.kind !== 'enum') return wireName(ref);
  return knownAncestor(ref.type, rank)?.name ?? (ref.kind === 'enum' ? 'string' : 'DynamicData');
}

/**
 * The body of /sdk/vimServiceVersions.xml. pyVmomi takes the first of its own ids that is in here by string equality, so
 * every id of the lattice is listed; 2.0 belongs to the older namespace, as on ESXi.
 */
export function serviceVersionsXml(): string {
  const [newest = '', ...prior] = schema.versions;
  const listed = (ids: readonly string[]): string => ids.map((id) => `      <version>${id}</version>\n`).join('');
  return `<?xml version="1.0" encoding="UTF-8"?>
<namespaces version="1.0">
  <namespace>
    <name>urn:vim25</name>
    <version>${newest}</version>
    <priorVersions>
${listed(prior)}    </priorVersions>
  </namespace>
  <namespace>
    <name>urn:vim2</name>
    <version>2.0</version>
  </namespace>
</namespaces>
`;
}
