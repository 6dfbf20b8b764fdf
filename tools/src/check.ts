// npm run check: every gate, all of them even when one does not pass. Names of gates as arguments select some.
import { resolve } from 'node:path';
import { gates } from './gates/index.ts';

const root = resolve(import.meta.dirname, '../..');
const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !gates.some((gate) => gate.name === name));
if (unknown.length > 0) {
  console.error(`no gate is named ${unknown.join(', ')}; there are: ${gates.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}
let failed = 0;
for (const gate of gates) {
  if (chosen.length > 0 && !chosen.includes(gate.name)) continue;
  const started = performance.now();
  const { passed, output } = await gate.run(root);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${passed ? 'ok  ' : 'FAIL'} ${gate.name} (${seconds} s)`);
  const summary = output.split('\n').filter((line) => /^ℹ (tests|pass|fail|skipped|cancelled) /.test(line));
  console.log(passed ? summary.join('\n') : output);
  if (!passed) failed += 1;
}
process.exitCode = failed === 0 ? 0 : 1;
