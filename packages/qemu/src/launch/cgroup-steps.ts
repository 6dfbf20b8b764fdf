// In which order the files of control groups are written. Pure.
//
// Version 1 refuses a processor quota that is larger than one around it, at every moment: what shrinks (or is lifted) is
// written from the bottom up, then what grows from the top down. Version 2 takes any order.
import { type GroupFolder, kernelDefaults } from './cgroup-layout.ts';

export interface GroupWrite {
  readonly folder: GroupFolder;
  /** Absolute. */
  readonly file: string;
  readonly value: string;
}

const QUOTA = 'cpu.cfs_quota_us';

/** `known`: what is in the files now, by absolute name; a file that is not in it is written in any case. */
export function planWrites(folders: readonly GroupFolder[], known: ReadonlyMap<string, string>): GroupWrite[] {
  const shrinking: GroupWrite[] = [];
  const growing: GroupWrite[] = [];
  const others: GroupWrite[] = [];
  for (const folder of folders) {
    for (const [name, value] of Object.entries(folder.values)) {
      const file = `${folder.path}/${name}`;
      const before = known.get(file);
      if (before === value) continue;
      if (name !== QUOTA) others.push({ folder, file, value });
      else if (isShrinking(before, value)) shrinking.push({ folder, file, value });
      else growing.push({ folder, file, value });
    }
  }
  return [...shrinking.reverse(), ...growing, ...others];
}

// What gets a quota where none was counts as growing: it may be more than a quota around it was.
function isShrinking(before: string | undefined, after: string): boolean {
  if (after === '-1') return true;
  return before !== undefined && before !== '-1' && Number(after) < Number(before);
}

/** What the files of a new group hold. */
export function freshValues(path: string): [string, string][] {
  return Object.entries(kernelDefaults).map(([name, value]) => [`${path}/${name}`, value]);
}
