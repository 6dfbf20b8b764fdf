// How an image file is named to QEMU's tools: always with its driver, its backing chain and its extents spelled out, so
// that nothing which an image says about itself opens another file. Pure.
import { basename, dirname } from 'node:path';
import type { Bind, JailMode } from '../launch/jail.ts';

/** Formats that VMs run from. */
export type DataFormat = 'qcow2' | 'raw';

/** An image to be read. All paths are absolute on the host. */
export type ImageSource =
  | { readonly driver: 'raw'; readonly file: string }
  /** `backing` is the chain below, as the caller knows it; what the image itself names is ignored. */
  | { readonly driver: 'qcow2'; readonly file: string; readonly backing?: ImageSource }
  /** `extents` are the other files that the descriptor names; they lie in the same folder. */
  | { readonly driver: 'vmdk'; readonly file: string; readonly extents?: readonly string[] };

export interface JailedImage {
  /** A `json:` file name for QEMU's tools. */
  readonly fileName: string;
  readonly binds: readonly Bind[];
}

export interface ImagePlace {
  /** The image's folder in the jail is `/image/<name>`. */
  readonly name: string;
  readonly writable?: boolean;
  /** Absent or anything but `none`: tools see other paths than the host. */
  readonly jail?: JailMode | undefined;
}

/** The image as the jailed tool sees it; exactly the named files are bound, and nothing else. */
export function jailImage(source: ImageSource, place: ImagePlace): JailedImage {
  const binds: Bind[] = [];
  const node = blockNode(source, `/image/${place.name}`, place, binds);
  return { fileName: `json:${JSON.stringify(node)}`, binds };
}

function blockNode(source: ImageSource, folder: string, place: ImagePlace, binds: Bind[]): object {
  // An image's own name only matters where other files are named relative to it.
  const ownName = source.driver === 'vmdk' ? plainName(basename(source.file)) : 'data';
  const bind = bindFile(source.file, `${folder}/${ownName}`, place);
  binds.push(bind);
  const file = { driver: 'file', filename: bind.inside };
  switch (source.driver) {
    case 'raw':
      return { driver: 'raw', file };
    case 'qcow2': {
      // An explicit null forbids the backing file that the header may name.
      if (source.backing === undefined) return { driver: 'qcow2', backing: null, file };
      const below = { ...place, writable: false };
      return { driver: 'qcow2', backing: blockNode(source.backing, `${folder}/backing`, below, binds), file };
    }
    case 'vmdk': {
      for (const extent of source.extents ?? []) {
        if (dirname(extent) !== dirname(source.file)) throw new RangeError(`not beside its descriptor: ${extent}`);
        binds.push(bindFile(extent, `${folder}/${plainName(basename(extent))}`, place));
      }
      return { driver: 'vmdk', file };
    }
  }
}

/** One file for a jailed tool; without a jail it keeps its path. */
export function bindFile(host: string, inside: string, place: Omit<ImagePlace, 'name'>): Bind {
  return { host, inside: place.jail === 'none' ? host : inside, writable: place.writable ?? false };
}

/** All files of a source. */
export function sourceFiles(source: ImageSource): string[] {
  if (source.driver === 'qcow2' && source.backing !== undefined) return [source.file, ...sourceFiles(source.backing)];
  return [source.file, ...(source.driver === 'vmdk' ? (source.extents ?? []) : [])];
}

// QEMU resolves an extent's name against the descriptor's folder, but takes `x:y` for a protocol.
function plainName(name: string): string {
  if (name === '.' || name === '..' || name === '' || /[:/\\\0]/.test(name)) {
    throw new RangeError(`not a plain file name: ${JSON.stringify(name)}`);
  }
  return name;
}
