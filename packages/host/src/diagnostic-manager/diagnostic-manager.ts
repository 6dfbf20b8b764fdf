// DiagnosticManager: the host's own log, read by lines. Source: vSphere API, DiagnosticManager.
import { open, stat } from 'node:fs/promises';
import { type Handlers, MethodFault, make } from '@vivarium/vim';
import type { Call } from '@vivarium/vmomi';

const KEY = 'hostd';
const MAX_LINES = 1000;
const MAX_LOG_BYTES = 64 << 20;

/** `logFile` is absolute; it need not exist yet. */
export function diagnosticManagerMethods(logFile: string): Handlers<'DiagnosticManager', Call> {
  return {
    QueryDescriptions: () => [
      make('DiagnosticManagerLogDescriptor', {
        key: KEY,
        fileName: logFile,
        creator: 'hostd',
        format: 'plain',
        mimeType: 'text/plain',
        info: make('Description', {
          label: 'Management agent log',
          summary: 'Log of the host daemon, one JSON record a line',
        }),
      }),
    ],
    BrowseDiagnosticLog: async ({ key, start, lines }) => {
      if (key !== KEY) throw new MethodFault('InvalidArgument', { invalidProperty: 'key' });
      const all = await readLines(logFile);
      // Line numbers count from 1; a client asks for a start beyond the end to learn where that is.
      const first = Math.max(1, start ?? 1);
      const wanted = Math.min(MAX_LINES, lines ?? MAX_LINES);
      const part = all.slice(first - 1, first - 1 + wanted);
      const lineStart = part.length > 0 ? first : all.length + 1;
      return make('DiagnosticManagerLogHeader', {
        lineStart,
        lineEnd: part.length > 0 ? first + part.length - 1 : all.length,
        lineText: part,
      });
    },
  };
}

async function readLines(file: string): Promise<string[]> {
  const size = await stat(file).then(
    (info) => info.size,
    () => 0,
  );
  if (size === 0) return [];
  const handle = await open(file, 'r');
  try {
    const length = Math.min(size, MAX_LOG_BYTES);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString('utf8', 0, bytesRead).trimEnd().split('\n');
  } finally {
    await handle.close();
  }
}
