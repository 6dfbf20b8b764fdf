// govc for the tests of one file: unmodified, against the file's own host, with a session kept between commands as people
// have it. `-json` output is what govc's own types have decoded of our answers.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { govcPath, installGovc } from '../clients/govc.ts';
import { run } from '../testing/run.ts';
import { waitFor } from '../testing/wait-for.ts';

const client = await installGovc();

/** Why the scenarios of govc are skipped; `false` when they are not. */
export const withoutGovc = client.state === 'installed' ? false : `not run: ${client.detail}`;

const TIMEOUT_MS = 120_000;

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Govc {
  /** Runs a command that has to succeed; what it prints. */
  (...args: string[]): Promise<string>;
  /** The same with `-json`. */
  json<T>(...args: string[]): Promise<T>;
  /** Runs a command that has to fail with exit code 1 and say something that matches. */
  refused(says: RegExp, ...args: string[]): Promise<void>;
  /** A command with standard input. */
  input(stdin: string, ...args: string[]): Promise<string>;
  /** A command that goes on until it is stopped. */
  follow(...args: string[]): Following;
  /** With other variables in its environment; `undefined` takes one away. */
  with(env: Environment): Govc;
}

export interface Following extends AsyncDisposable {
  /** All that it has printed so far. */
  readonly said: string;
  /** Waits until it has printed something that matches. */
  hears(pattern: RegExp): Promise<void>;
  /** Waits until it ends by itself; its exit code. */
  ended(): Promise<number | null>;
}

/** What govc has to be told of an endpoint. */
export interface GovcEndpoint {
  readonly env: Readonly<Record<string, string>>;
  /** Where sessions are kept between commands. */
  readonly stateDir: string;
}

export function useGovc(host: () => GovcEndpoint, more: Environment = {}): Govc {
  const env = (): Record<string, string> => {
    const home = join(host().stateDir, 'govmomi');
    const all: Environment = { ...host().env, GOVC_PERSIST_SESSION: 'true', GOVMOMI_HOME: home, ...more };
    return Object.fromEntries(
      Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    );
  };
  const attempt = (args: readonly string[], stdin?: string) =>
    run(govcPath(), args, { env: env(), timeoutMs: TIMEOUT_MS, ...(stdin === undefined ? {} : { stdin }) });
  const succeed = async (args: readonly string[], stdin?: string): Promise<string> => {
    const { code, stdout, stderr } = await attempt(args, stdin);
    assert.equal(code, 0, `govc ${args.join(' ')}: ${stdout}${stderr}`);
    return stdout;
  };
  return Object.assign((...args: string[]) => succeed(args), {
    async json<T>(command: string, ...args: string[]): Promise<T> {
      return JSON.parse(await succeed([command, '-json', ...args])) as T;
    },
    async refused(says: RegExp, ...args: string[]): Promise<void> {
      const { code, stdout, stderr } = await attempt(args);
      assert.equal(code, 1, `govc ${args.join(' ')} should fail: ${stdout}${stderr}`);
      assert.match(stderr, says, `govc ${args.join(' ')}`);
    },
    input: (stdin: string, ...args: string[]) => succeed(args, stdin),
    follow: (...args: string[]) => follow(spawn(govcPath(), args, { env: { ...process.env, ...env() } })),
    with: (changed: Environment) => useGovc(host, { ...more, ...changed }),
  });
}

function follow(child: ChildProcess): Following {
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (part: Buffer) => {
      said += part.toString();
    });
  }
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    get said() {
      return said;
    },
    async hears(pattern) {
      await waitFor(`${pattern} from ${child.spawnargs.slice(1).join(' ')}`, async () => pattern.test(said));
    },
    ended: () => ended,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Lines of a table without their padding; the last, empty one left out. */
export function lines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '');
}
