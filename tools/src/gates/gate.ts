// A gate: one question about the tree with a yes or no, and the words of the tool that answered.
import { spawn } from 'node:child_process';

export interface GateResult {
  readonly passed: boolean;
  /** What the tool printed: shown when the gate does not pass. */
  readonly output: string;
}

export interface Gate {
  readonly name: string;
  /** Judges the tree at `root`. */
  run(root: string): Promise<GateResult>;
}

/** A gate that is a program: it passes when the program exits with 0. */
export function programGate(name: string, command: (root: string) => readonly [string, ...string[]]): Gate {
  return {
    name,
    run: (root) =>
      new Promise((resolve, reject) => {
        const [file, ...args] = command(root);
        // A test runner below a test runner would skip its files (NODE_TEST_CONTEXT).
        const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
        const child = spawn(file, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
        const parts: Buffer[] = [];
        child.stdout.on('data', (part: Buffer) => parts.push(part));
        child.stderr.on('data', (part: Buffer) => parts.push(part));
        child.on('error', reject);
        child.on('close', (code) => resolve({ passed: code === 0, output: Buffer.concat(parts).toString('utf8') }));
      }),
  };
}
