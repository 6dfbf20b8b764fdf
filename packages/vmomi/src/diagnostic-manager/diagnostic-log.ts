// A daemon's own log, read by lines, as DiagnosticManager shows it. Source: vSphere API, DiagnosticManager.
import { open, stat } from 'node:fs/promises';
import { type DiagnosticManagerLogDescriptor, type DiagnosticManagerLogHeader, MethodFault, make } from '@vivarium/vim';

const MAX_LINES = 1000;
const MAX_LOG_BYTES = 64 << 20;

export interface DiagnosticLog {
  /** As clients ask for it: 'hostd', 'vpxd:vpxd.log'. */
  readonly key: string;
  /** Absolute; it need not exist yet. */
  readonly file: string;
  readonly creator: string;
  readonly label: string;
  readonly summary: string;
}

export function logDescriptor({ key, file, creator, label, summary }: DiagnosticLog): DiagnosticManagerLogDescriptor {
  return make('DiagnosticManagerLogDescriptor', {
    key,
    fileName: file,
    creator,
    format: 'plain',
    mimeType: 'text/plain',
    info: make('Description', { label, summary }),
  });
}

/**
 * Lines of it, counted from 1, at most 1000 at once. Who asks for a start beyond the end learns where that is. Faults:
 * InvalidArgument for another key; CannotAccessFile while nothing is written (a client that goes on until the end of an empty
 * log would go on for ever).
 */
export async function browseLog(
  log: DiagnosticLog | undefined,
  { key, start, lines }: { readonly key: string; readonly start?: number; readonly lines?: number },
): Promise<DiagnosticManagerLogHeader> {
  if (key !== log?.key) throw new MethodFault('InvalidArgument', { invalidProperty: 'key' });
  const all = await readLines(log.file);
  if (all.length === 0) throw new MethodFault('CannotAccessFile', { file: log.file });
  const first = Math.max(1, start ?? 1);
  const wanted = Math.min(MAX_LINES, lines ?? MAX_LINES);
  const part = all.slice(first - 1, first - 1 + wanted);
  const lineStart = part.length > 0 ? first : all.length + 1;
  return make('DiagnosticManagerLogHeader', {
    lineStart,
    lineEnd: part.length > 0 ? first + part.length - 1 : all.length,
    lineText: part,
  });
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
