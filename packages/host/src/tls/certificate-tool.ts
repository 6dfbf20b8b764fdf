// Runs work with certificates in a process of its own: the libraries that it takes are big, needed once in years, and would stay in
// hostd's memory for as long as it runs. What is asked goes by standard input, for keys must not be in a command line.
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const TIMEOUT_MS = 60_000;

/** The JSON that `tool` (a module of this folder) answers. Rejects with what it wrote to standard error when it fails. */
export async function runCertificateTool(
  tool: 'self-signed' | 'signing-request' | 'revocation-lists',
  input: unknown,
): Promise<unknown> {
  const file = fileURLToPath(new URL(`./${tool}.ts`, import.meta.url));
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', file], {
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  child.stdin.on('error', () => undefined); // it ended early: its exit code tells
  child.stdin.end(JSON.stringify(input));
  const ended = new Promise<number | null>((resolve, reject) => void child.on('error', reject).on('close', resolve));
  const [answer, complaint, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  if (code !== 0) throw new Error(`${tool}: ${complaint.trim().split('\n').slice(-8).join('\n')}`);
  return JSON.parse(answer);
}
