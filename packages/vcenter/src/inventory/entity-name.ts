// Names of entities: '/', '\' and '%' mean something in inventory paths, so they are kept escaped. Pure.
// Source: vSphere Web Services API, ManagedEntity.name.
import { MethodFault } from '@vivarium/vim';

/** Of most entities; VMware's limit for folders, datacenters, hosts, VMs and pools. */
const MAX_LENGTH = 80;

/** The name as it is kept: escaped, an escape that is there already left alone, but for its case. */
export function escapeName(name: string): string {
  return name
    .replace(/%(2f|5c|25)?/gi, (_, code: string | undefined) => `%${code?.toLowerCase() ?? '25'}`)
    .replaceAll('/', '%2f')
    .replaceAll('\\', '%5c');
}

/** The name as people write it. */
export function plainName(name: string): string {
  return name.replace(/%(2f|5c|25)/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

/** The escaped name. Fault: InvalidName when it is empty or too long. */
export function checkName(name: string): string {
  const escaped = escapeName(name);
  if (name.trim() === '' || plainName(escaped).length > MAX_LENGTH) throw new MethodFault('InvalidName', { name });
  return escaped;
}
