import { readFile } from 'node:fs/promises';

/** USER_HZ (proc(5)). */
const TICKS_PER_SECOND = 100;

/** Processor time that a process has had so far, its ended children left out. */
export async function processorSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
