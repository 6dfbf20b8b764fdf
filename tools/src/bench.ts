// viv bench: the benchmarks of the lab, with the arguments given.
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const args = ['--disable-warning=ExperimentalWarning', 'lab/src/bench/main.ts', ...process.argv.slice(2)];
process.exitCode = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status ?? 1;
