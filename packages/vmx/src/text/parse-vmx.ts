// VMX text -> dictionary. The text may come from a stranger: every limit is checked, every refusal is a VmxSyntaxError.
import { isVmxKey, VmxFile } from './vmx-file.ts';

export type VmxSyntaxReason =
  | 'tooLarge'
  | 'tooManyLines'
  | 'badKey'
  | 'badValue'
  | 'badEscape'
  | 'noAssignment'
  | 'badEncoding';

export class VmxSyntaxError extends Error {
  override readonly name = 'VmxSyntaxError';
  readonly reason: VmxSyntaxReason;
  /** Counted from 1; 0 = the file as a whole. */
  readonly line: number;

  constructor(reason: VmxSyntaxReason, line: number, message: string) {
    super(line > 0 ? `line ${line}: ${message}` : message);
    this.reason = reason;
    this.line = line;
  }
}

export interface VmxLimits {
  readonly bytes: number;
  readonly lines: number;
}

/** guestinfo values of several hundred KB are ordinary (cloud-init user data), so the file may be large. */
export const DEFAULT_VMX_LIMITS: VmxLimits = { bytes: 8 * 1024 * 1024, lines: 20_000 };

/**
 * Parses `key = "value"` lines. Keys ignore case, the last of several equal keys wins, lines that start with `#` and empty
 * lines are dropped (VMware drops them too when it rewrites the file). Bytes are decoded by the file's own `.encoding`.
 */
export function parseVmx(input: string | Uint8Array, limits: VmxLimits = DEFAULT_VMX_LIMITS): VmxFile {
  if (input.length > limits.bytes) {
    throw new VmxSyntaxError('tooLarge', 0, `a VMX of ${input.length} bytes is over the limit of ${limits.bytes}`);
  }
  const text = (typeof input === 'string' ? input : decodeVmxBytes(input)).replace(/^\uFEFF/, '');
  const lines = text.split(/\r\n|\n|\r/);
  if (lines.length > limits.lines) {
    throw new VmxSyntaxError('tooManyLines', 0, `${lines.length} lines are over the limit of ${limits.lines}`);
  }
  const file = new VmxFile();
  for (const [index, line] of lines.entries()) {
    const entry = parseLine(line, index + 1);
    if (entry) file.set(entry.key, entry.value);
  }
  return file;
}

function parseLine(line: string, number: number): { key: string; value: string } | undefined {
  const trimmed = line.trim();
  if (trimmed === '' || trimmed.startsWith('#')) return undefined;
  const equals = trimmed.indexOf('=');
  if (equals < 0) throw new VmxSyntaxError('noAssignment', number, 'neither a comment nor key = "value"');
  const key = trimmed.slice(0, equals).trimEnd();
  if (!isVmxKey(key)) throw new VmxSyntaxError('badKey', number, 'not a usable key');
  return { key, value: unescapeValue(rawValue(trimmed.slice(equals + 1).trimStart(), number), number) };
}

/** The text between the quotes; an unquoted value ends at white space, as VMware reads hand-written files. */
function rawValue(text: string, line: number): string {
  if (!text.startsWith('"')) {
    const value = text.replace(/\s*#.*$/, '');
    if (/["\s]/.test(value)) throw new VmxSyntaxError('badValue', line, 'an unquoted value must be one word');
    return value;
  }
  const end = text.indexOf('"', 1);
  if (end < 0) throw new VmxSyntaxError('badValue', line, 'the closing quote is missing');
  const rest = text.slice(end + 1).trim();
  if (rest !== '' && !rest.startsWith('#')) throw new VmxSyntaxError('badValue', line, 'text after the closing quote');
  return text.slice(1, end);
}

/** `|22` is a quote, `|7C` a pipe, `|0A` a newline: `|` and the byte's two hex digits. Bytes above 7F are UTF-8 in pieces. */
function unescapeValue(raw: string, line: number): string {
  if (/\p{Cc}/u.test(raw.replaceAll('\t', '')))
    throw new VmxSyntaxError('badValue', line, 'control character in a value');
  if (!raw.isWellFormed()) throw new VmxSyntaxError('badValue', line, 'half a surrogate pair');
  if (!raw.includes('|')) return raw;
  return raw.replace(/(?:\|[0-9a-f]{2})+/gi, (run) => {
    const bytes = Uint8Array.from(run.slice(1).split('|'), (hex) => Number.parseInt(hex, 16));
    if (bytes.includes(0)) throw new VmxSyntaxError('badEscape', line, 'a NUL character is not allowed');
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw new VmxSyntaxError('badEscape', line, 'escaped bytes that are not UTF-8');
    }
  });
}

/** Decodes by the `.encoding` line (ASCII in all encodings that VMware writes), else UTF-8, else Windows-1252. */
function decodeVmxBytes(bytes: Uint8Array): string {
  const ascii = new TextDecoder('latin1').decode(bytes);
  const declared = /^[ \t]*\.encoding[ \t]*=[ \t]*"?([\w-]{1,40})"?/im.exec(ascii)?.[1];
  for (const label of declared ? [declared] : ['utf-8', 'windows-1252']) {
    try {
      return new TextDecoder(label, { fatal: true }).decode(bytes);
    } catch {
      // An encoding that is unknown or does not fit the bytes: the next one, if any.
    }
  }
  throw new VmxSyntaxError('badEncoding', 0, `the file is not ${declared ?? 'text'}`);
}
