// viv test: everything that CI runs: the gates of `npm run check`, then the lab.
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const flags = ['--disable-warning=ExperimentalWarning'];
for (const [name, script] of [
  ['check', 'tools/src/check.ts'],
  ['lab', 'lab/src/main.ts'],
] as const) {
  console.log(`\n== ${name}`);
  const { status } = spawnSync(process.execPath, [...flags, script], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
