// What a test file has one of: up before its first test, down after its last one, whatever happened in between.
import { after, afterEach, before } from 'node:test';

interface Started extends AsyncDisposable {
  /** Of what runs in a process of its own. */
  log?(): Promise<string>;
}

/** Call it inside `describe`. `what` it is, and of `whom` the log is that a test which fails prints the end of. */
export function useStarted<T extends Started>(start: () => Promise<T>, what: string, whom = what): () => T {
  let started: T | undefined;
  before(async () => {
    started = await start();
  });
  afterEach(async (context) => {
    // Tests have `passed`; what node:test's types do not say.
    if (started?.log && (context as { passed?: boolean }).passed === false)
      console.log(`the end of ${whom}'s log:\n${await started.log()}`);
  });
  after(async () => {
    await started?.[Symbol.asyncDispose]();
  });
  return () => {
    if (!started) throw new Error(`${what} did not come up`);
    return started;
  };
}
