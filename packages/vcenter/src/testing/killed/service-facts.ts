// For tests: licences, options, extensions and disabled methods as facts of a picture.
import { type MoRef, moRef } from '@vivarium/vim';
import type { TestCenter } from '../test-center.ts';

export const LICENSES = moRef('LicenseManager', 'LicenseManager') as MoRef;
export const OPTIONS = moRef('OptionManager', 'VpxSettings') as MoRef;
export const EXTENSIONS = moRef('ExtensionManager', 'ExtensionManager') as MoRef;
export const SESSIONS = moRef('SessionManager', 'SessionManager') as MoRef;
export const LABEL = 'note';
/** Of folders; nothing here calls it. */
export const DISABLED = 'BatchAddStandaloneHosts_Task';

export interface LicenceFacts {
  readonly note: string;
  /** By vCenter itself. */
  readonly isUsed: boolean;
}

export function services(center: TestCenter): Record<string, unknown> {
  const found: Record<string, unknown> = { message: center.read(SESSIONS, 'message') };
  const licences = center.read<{ licenseKey: string; used: number; labels?: { key: string; value: string }[] }[]>(
    LICENSES,
    'licenses',
  );
  for (const { licenseKey, used, labels = [] } of licences) {
    const [, number] = /^(\d{5})-AAAAA-/.exec(licenseKey) ?? [];
    const note = labels.find(({ key }) => key === LABEL)?.value ?? '';
    if (number !== undefined) found[`licence i${Number(number)}`] = { note, isUsed: used > 0 } satisfies LicenceFacts;
  }
  for (const { key, value } of center.read<{ key: string; value: unknown }[]>(OPTIONS, 'setting')) {
    const [, name] = /^config\.(n\d+)$/.exec(key) ?? [];
    if (name !== undefined) found[`option ${name}`] = plain(value);
  }
  for (const { key, version } of center.read<{ key: string; version: string }[]>(EXTENSIONS, 'extensionList')) {
    found[`extension ${key}`] = version;
  }
  for (const folder of center.service.graph.ofType('Folder')) {
    if (center.service.methodBlocks.of(folder.ref as MoRef).includes(DISABLED))
      found[`disabled on ${String(folder.getPath('name'))}`] = true;
  }
  return found;
}

const plain = (value: unknown) =>
  typeof value === 'object' && value !== null && '_value' in value ? value._value : value;
