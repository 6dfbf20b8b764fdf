// The layer rules of ARCHITECTURE.md: which package may import which. Arrows point one way.
import { globSync, readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import type { Gate } from './gate.ts';

/** Package → the packages that it may import, besides itself and `base`. Tests may also import what is in `forTests`. */
export const layers: Readonly<Record<string, readonly string[]>> = {
  base: [],
  vim: [],
  qemu: [],
  vmx: ['vim', 'qemu/machine'],
  store: [],
  vmomi: ['vim', 'store'],
  client: ['vim'],
  host: ['vim', 'vmx', 'qemu', 'store', 'vmomi', 'drs/resource-pool'],
  drs: ['vim'],
  vcenter: ['vim', 'vmomi', 'client', 'drs', 'store'],
  sim: ['vim', 'vmx', 'host/simulated', 'host/view', 'vmomi', 'store', 'vcenter'],
  cli: ['client', 'vim', 'qemu', 'guests', 'store', 'vcenter/state'],
  guests: ['qemu'],
  lab: ['client', 'vim', 'qemu', 'guests', 'host', 'vcenter', 'sim', 'drs', 'vmx', 'vmomi', 'store'],
  tools: ['lab'],
};

/** Rooms without I/O: no `node:` module but the ones named. */
const pure: readonly { readonly folder: string; readonly allowed: readonly string[] }[] = [
  { folder: 'packages/vim/src', allowed: ['node:util'] },
  { folder: 'packages/vmx/src', allowed: ['node:util'] },
  { folder: 'packages/qemu/src/machine', allowed: ['node:util'] },
  { folder: 'packages/drs/src', allowed: ['node:util'] },
  { folder: 'packages/vmomi/src/property-collector', allowed: ['node:util'] },
];

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\b[^'"\n;]*?(?:\{[^}]*\}[^'"\n;]*?)?from\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)import\s+['"]([^'"]+)['"]/g;

export interface Violation {
  readonly file: string;
  readonly specifier: string;
  readonly why: string;
}

/** Every import of the tree at `root` that points the wrong way. Throws when it finds no files: a blind gate is no gate. */
export function layerViolations(root: string): Violation[] {
  const files = globSync(['packages/*/src/**/*.ts', 'lab/src/**/*.ts', 'guests/src/**/*.ts', 'tools/src/**/*.ts'], {
    cwd: root,
  }).filter((file) => !file.includes('/generated/') && !file.includes('/fixtures/'));
  if (files.length === 0) throw new Error(`no source files below ${root}`);
  return files.flatMap((file) => violationsOf(root, file));
}

function violationsOf(root: string, file: string): Violation[] {
  const owner = packageOf(file);
  const allowed = layers[owner];
  if (!allowed) return [{ file, specifier: owner, why: 'this package is not in the layer table' }];
  const isTest = /\.test\.ts$|\/testing\/|\/(?:test-[\w-]+|fixtures)\.ts$/.test(file);
  const room = pure.find(({ folder }) => file.startsWith(`${folder}/`));
  return importsOf(readFileSync(resolve(root, file), 'utf8')).flatMap((specifier): Violation[] => {
    if (specifier.startsWith('.')) {
      const target = relative(root, resolve(root, dirname(file), specifier));
      const other = packageOf(target);
      return other === owner ? [] : [{ file, specifier, why: `reaches into ${other} past its public face` }];
    }
    if (specifier.startsWith('@vivarium/')) {
      const name = specifier.slice('@vivarium/'.length);
      if (name === 'base' || name === owner) return [];
      if (name === 'base/node') {
        return room && !isTest ? [{ file, specifier, why: `${room.folder} is pure` }] : [];
      }
      const isAllowed = allowed.some(
        (entry) => entry === name || (!entry.includes('/') && name.startsWith(`${entry}/`)),
      );
      return isAllowed ? [] : [{ file, specifier, why: `${owner} may not import ${name}` }];
    }
    if (specifier.startsWith('node:') && room && !isTest && !room.allowed.includes(specifier)) {
      return [{ file, specifier, why: `${room.folder} is pure` }];
    }
    return [];
  });
}

/** The module specifiers of a source text. */
export function importsOf(source: string): string[] {
  return [...source.matchAll(IMPORT)].flatMap((match) => match[1] ?? match[2] ?? match[3] ?? []);
}

function packageOf(file: string): string {
  const [first, second] = file.split('/');
  return (first === 'packages' ? second : first) ?? '';
}

export const layersGate: Gate = {
  name: 'layers',
  run(root) {
    const violations = layerViolations(root);
    const output = violations.map(({ file, specifier, why }) => `${file}: '${specifier}': ${why}`).join('\n');
    return Promise.resolve({ passed: violations.length === 0, output });
  },
};
