// Whether api/vim25 is what dump_schema.py makes of a pyVmomi: the pinned schema is not edited by hand.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

/** Parts of two dumps that differ ('data', 'faults', 'enums' …). `source` only names the directory that was read. */
export function differingParts(left: object, right: object): string[] {
  const parts = new Set([...Object.keys(left), ...Object.keys(right)]);
  parts.delete('source');
  const of = (dump: object, part: string): unknown => Object.entries(dump).find(([name]) => name === part)?.[1];
  return [...parts].filter((part) => !isDeepStrictEqual(of(left, part), of(right, part)));
}

/** Runs dump_schema.py with python3 on the pyVmomi in `directory`; throws when that fails. `modules`: its arguments. */
export function dumpFrom(scriptPath: string, directory: string, modules: readonly string[] = []): object {
  const work = mkdtempSync(join(tmpdir(), 'vim25-dump-'));
  try {
    const out = join(work, 'schema.json');
    execFileSync('python3', [scriptPath, directory, out, ...modules], { stdio: ['ignore', 'ignore', 'inherit'] });
    return JSON.parse(readFileSync(out, 'utf8')) as object;
  } finally {
    rmSync(work, { recursive: true });
  }
}

/** The sha256 that a SOURCE file pins for `name`; undefined when it pins none. */
export function pinnedHash(source: string, name: string): string | undefined {
  return source
    .split('\n')
    .map((line) => /^sha256\s+([0-9a-f]{64})\s+(\S+)$/.exec(line))
    .find((match) => match?.[2] === name)?.[1];
}

export function sha256(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
