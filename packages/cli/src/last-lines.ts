// The end of a file of lines, read from behind: logs grow large.
import { open } from 'node:fs/promises';

const CHUNK = 64 * 1024;

/** The last `count` lines that are whole, and where in the file they end. Rejects as open does. */
export async function lastLines(path: string, count: number): Promise<{ lines: string[]; end: number }> {
  await using handle = await open(path, 'r');
  const { size } = await handle.stat();
  const chunks: Buffer[] = [];
  let breaks = 0;
  // One more break than lines: where the first of them begins.
  for (let from = size; from > 0 && breaks <= count; ) {
    const length = Math.min(CHUNK, from);
    from -= length;
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, from);
    const chunk = buffer.subarray(0, bytesRead);
    chunks.unshift(chunk);
    for (const byte of chunk) if (byte === 0x0a) breaks += 1;
  }
  const bytes = Buffer.concat(chunks);
  const whole = bytes.lastIndexOf(0x0a) + 1;
  const lines = bytes.toString('utf8', 0, whole).split('\n').slice(0, -1);
  return { lines: lines.slice(-count), end: size - (bytes.length - whole) };
}
