// Character devices that come, go or change while the machine runs.
import type { Qmp } from './monitor.ts';
import { findText, readFlag, readList, readText } from './read.ts';

/** A chardev backend as QMP's ChardevBackend: its type and its data. */
export interface ChardevBackend {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export async function chardevAdd(monitor: Qmp, id: string, backend: ChardevBackend): Promise<void> {
  await monitor.execute('chardev-add', { id, backend });
}

/** Puts another backend behind an existing chardev: the guest's device notices nothing. */
export async function chardevChange(monitor: Qmp, id: string, backend: ChardevBackend): Promise<void> {
  await monitor.execute('chardev-change', { id, backend });
}

export interface Chardev {
  readonly label: string;
  readonly filename: string;
  /** The guest has its end open. */
  readonly isFrontendOpen: boolean;
}

export async function queryChardev(monitor: Qmp): Promise<Chardev[]> {
  return readList(await monitor.execute('query-chardev')).map((chardev) => ({
    label: readText(chardev, 'label'),
    filename: findText(chardev, 'filename') ?? '',
    isFrontendOpen: readFlag(chardev, 'frontend-open'),
  }));
}
