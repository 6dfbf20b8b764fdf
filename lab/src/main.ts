// Runs the lab: builds what the guests need, installs the clients under test, then runs the scenarios one file after the
// other (guests under emulation share few cores). Arguments choose files by a part of their name.
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { resolve } from 'node:path';
import { prepare } from './prepare.ts';

const root = resolve(import.meta.dirname, '..');
const wanted = process.argv.slice(2);
const files = globSync('src/**/*.test.ts', { cwd: root })
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .sort();
if (files.length === 0) {
  console.error(`no scenario's file name contains ${wanted.join(' or ')}`);
  process.exit(2);
}

await prepare((text) => console.log(text));
const options = ['--test', '--test-concurrency=1', '--test-reporter=spec'];
const { status } = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', ...options, ...files], {
  cwd: root,
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
