// What the machine's control groups let a process use.
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const ROOT = '/sys/fs/cgroup';

/** Processors that the process may use at most: the least that its group and those above it allow; `Infinity` = no limit. */
export async function processorLimit(pid: number): Promise<number> {
  const lines = (await readFile(`/proc/${pid}/cgroup`, 'utf8')).trim().split('\n');
  const entries = lines.map((line) => line.split(':'));
  const first = entries.find(([, controllers]) => controllers?.split(',').includes('cpu'));
  const group = first ? join(ROOT, 'cpu', first[2] ?? '') : join(ROOT, entries.find(([id]) => id === '0')?.[2] ?? '');
  let least = Infinity;
  for (let folder = group; folder.startsWith(`${ROOT}/`); folder = dirname(folder)) {
    least = Math.min(least, await limitOf(folder));
  }
  return least;
}

/** Control groups of version 1 say it in two files, those of version 2 in one. */
async function limitOf(folder: string): Promise<number> {
  const read = async (name: string) => (await readFile(join(folder, name), 'utf8').catch(() => '')).trim();
  const [quota, period] = [await read('cpu.cfs_quota_us'), await read('cpu.cfs_period_us')];
  if (quota !== '') return quota === '-1' ? Infinity : Number(quota) / Number(period);
  const [max = 'max', of = '1'] = (await read('cpu.max')).split(' ');
  return max === 'max' || max === '' ? Infinity : Number(max) / Number(of);
}
