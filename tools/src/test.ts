// viv test: everything that CI runs: the gates of `npm run check`, then the lab. What both need is built first, so that no test
// is skipped for want of it.
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { prepare } from '@vivarium/lab';

const root = resolve(import.meta.dirname, '../..');
const flags = ['--disable-warning=ExperimentalWarning'];
console.log('\n== prepare');
const env = { ...process.env, ...(await prepare((text) => console.log(text))) };
for (const [name, script] of [
  ['check', 'tools/src/check.ts'],
  ['lab', 'lab/src/main.ts'],
] as const) {
  console.log(`\n== ${name}`);
  const { status } = spawnSync(process.execPath, [...flags, script], { cwd: root, stdio: 'inherit', env });
  if (status !== 0) process.exitCode = 1;
}
