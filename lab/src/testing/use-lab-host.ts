// The one host of a test file: up before its first test, down after its last one, whatever happened in between.
import { after, afterEach, before } from 'node:test';
import { type LabHost, startLabHost } from './lab-host.ts';

/** Why scenarios that need namespaces, taps and mounts are skipped; `false` when they are not. */
export const needsRoot = process.getuid?.() === 0 ? false : 'not run: this needs root';

/** Call it inside `describe`. */
export function useLabHost(): () => LabHost {
  let host: LabHost | undefined;
  before(async () => {
    host = await startLabHost();
  });
  afterEach(async (context) => {
    // Tests have `passed`; what node:test's types do not say.
    if (host && (context as { passed?: boolean }).passed === false)
      console.log(`the end of hostd's log:\n${await host.log()}`);
  });
  after(async () => {
    await host?.[Symbol.asyncDispose]();
  });
  return () => {
    if (!host) throw new Error('the host did not come up');
    return host;
  };
}
