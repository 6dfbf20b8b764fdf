// Runs the lab: builds what the guests need, installs the clients under test, then runs the scenarios one file after the
// other (guests under emulation share few cores). Arguments choose files by a part of their name.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { prepare } from './prepare.ts';

/** They wait for minutes of the clock in which the machine has nothing to do: they run beside the others, and report after them. */
const PATIENT = ['src/center/statistics.test.ts'];

const root = resolve(import.meta.dirname, '..');
const wanted = process.argv.slice(2);
const files = globSync('src/**/*.test.ts', { cwd: root })
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .sort();
if (files.length === 0) {
  console.error(`no scenario's file name contains ${wanted.join(' or ')}`);
  process.exit(2);
}

await prepare((line) => console.log(line));
const patient = files.filter((file) => PATIENT.includes(file));
const busy = files.filter((file) => !PATIENT.includes(file));
if (busy.length === 0) process.exitCode = await ended(start(patient, 'inherit'));
else {
  const beside = patient.length > 0 ? start(patient, 'pipe') : undefined;
  const report = beside?.stdout ? text(beside.stdout) : Promise.resolve('');
  const statuses = await Promise.all([ended(start(busy, 'inherit')), beside ? ended(beside) : 0]);
  process.stdout.write(await report);
  process.exitCode = Math.max(...statuses);
}

function start(chosen: readonly string[], output: 'inherit' | 'pipe') {
  const options = ['--disable-warning=ExperimentalWarning', '--test', '--test-concurrency=1', '--test-reporter=spec'];
  return spawn(process.execPath, [...options, ...chosen], { cwd: root, stdio: ['inherit', output, 'inherit'] });
}

/** Its exit code. */
async function ended(child: ReturnType<typeof start>): Promise<number> {
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}
