// TypeScript is stripped once: its result is kept in Node's compile cache (NODE_COMPILE_CACHE). A process that had to strip
// keeps the stripper, 25 MB of WebAssembly and what it left behind, as long as it lives. So hostd begins anew then, before
// it has done anything: the same process (pid, descriptors, environment), now with the cache filled.
import { flushCompileCache, getCompileCacheDir } from 'node:module';

/** Set in the process that was begun anew: a cache that cannot be written must not make hostd begin for ever. */
const MARK = 'VIVARIUM_RESTARTED';

/** Does not return when the process begins anew. */
export function restartCompiled(): void {
  const isSecond = process.env[MARK] !== undefined;
  delete process.env[MARK]; // no business of our children
  if (isSecond || !hasStripped() || getCompileCacheDir() === undefined) return;
  flushCompileCache();
  process.execve?.(process.execPath, [process.execPath, ...process.execArgv, ...process.argv.slice(1)], {
    ...process.env,
    [MARK]: '1',
  });
}

// Not documented, but all there is; a Node without it only keeps its memory.
function hasStripped(): boolean {
  const { moduleLoadList = [] } = process as { readonly moduleLoadList?: readonly string[] };
  return moduleLoadList.some((name) => name.includes('deps/amaro'));
}
