// viv test and viv bench: programs of the repository's own tools, run with the Node that we run on.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

export async function runTool(name: 'test' | 'bench', args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [...process.execArgv, `${ROOT}tools/src/${name}.ts`, ...args], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  process.exitCode = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(code ?? (signal ? 1 : 0)));
  });
}
