// Writing and checking generated files. A generator owns whole directories: a file in one that it does not produce is stale.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface Generator {
  readonly name: string;
  /** Directories, relative to the root, in which only generated files live. */
  readonly directories: readonly string[];
  /** Path relative to the root -> text. `read` gives the text of a pinned input. */
  generate(read: (path: string) => string): Map<string, string>;
}

export interface Difference {
  readonly path: string;
  readonly what: 'missing' | 'differs' | 'stale';
}

function present(root: string, directory: string): string[] {
  try {
    return readdirSync(join(root, directory)).map((name) => `${directory}/${name}`);
  } catch {
    return [];
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** What `generator` would change under `root`. Empty when the tree is up to date. */
export function differences(root: string, generator: Generator): Difference[] {
  const wanted = generator.generate((path) => readFileSync(join(root, path), 'utf8'));
  const found: Difference[] = [];
  for (const [path, text] of wanted) {
    const current = readIfThere(join(root, path));
    if (current === undefined) found.push({ path, what: 'missing' });
    else if (current !== text) found.push({ path, what: 'differs' });
  }
  for (const directory of generator.directories) {
    for (const path of present(root, directory)) if (!wanted.has(path)) found.push({ path, what: 'stale' });
  }
  return found;
}

/** Brings the tree under `root` up to date and returns what was changed. */
export function writeGenerated(root: string, generator: Generator): Difference[] {
  const changes = differences(root, generator);
  const wanted = generator.generate((path) => readFileSync(join(root, path), 'utf8'));
  for (const { path, what } of changes) {
    const target = join(root, path);
    mkdirSync(dirname(target), { recursive: true });
    if (what === 'stale') rmSync(target);
    else writeFileSync(target, wanted.get(path) ?? '');
  }
  return changes;
}
