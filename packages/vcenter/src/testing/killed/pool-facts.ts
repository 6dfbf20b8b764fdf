// For tests: what a picture says of pools, vApps and what is in them.
import type { Picture } from './picture.ts';

export interface PoolFacts {
  /** '' is the root pool. */
  readonly parent: string;
  /** Of memory, in MB; -1 without one. */
  readonly limit: number;
}

export interface AppFacts {
  readonly pool: string;
  /** null in another vApp. */
  readonly folder: string | null;
  readonly note: string;
}

export interface VmFacts {
  /** null in a vApp. */
  readonly folder: string | null;
  readonly pool: string;
  readonly power: string;
}

export const isApp = (name: string) => /^a\d/.test(name);

export function namesOf(picture: Picture, kind: string): string[] {
  return Object.keys(picture).flatMap((key) => {
    const [what, name = '', ...more] = key.split(' ');
    return what === kind && more.length === 0 ? [name] : [];
  });
}

export const vmIn = (picture: Picture, name: string) => picture[`vm ${name}`] as VmFacts;
export const appIn = (picture: Picture, name: string) => picture[`app ${name}`] as AppFacts;
export const poolIn = (picture: Picture, name: string) => picture[`pool ${name}`] as PoolFacts;

/** Of a pool or vApp; undefined of the root pool. */
export function parentIn(picture: Picture, name: string): string | undefined {
  if (name === '') return undefined;
  return isApp(name) ? appIn(picture, name).pool : poolIn(picture, name).parent;
}

/** The pool or vApp and all around it, the nearest first. */
export function chainOf(picture: Picture, name: string): string[] {
  const chain: string[] = [];
  for (let at: string | undefined = name; at !== undefined; at = parentIn(picture, at)) chain.push(at);
  return chain;
}

export function appAround(picture: Picture, name: string): string | undefined {
  return chainOf(picture, name).find(isApp);
}

/** Where something comes that leaves the vApp. */
export function folderOfApp(picture: Picture, app: string): string {
  const outermost = chainOf(picture, app).filter(isApp).at(-1) ?? app;
  return appIn(picture, outermost).folder ?? '';
}

/** Pools and vApps below, in no order. */
export function poolsBelow(picture: Picture, name: string): string[] {
  const all = [...namesOf(picture, 'pool'), ...namesOf(picture, 'app')];
  return all.filter((one) => one !== name && chainOf(picture, one).includes(name));
}

export function vmsBelow(picture: Picture, name: string): string[] {
  return namesOf(picture, 'vm').filter((vm) => chainOf(picture, vmIn(picture, vm).pool).includes(name));
}

/** Levels: 1 without any pools in it. */
export function heightOf(picture: Picture, name: string): number {
  const depth = chainOf(picture, name).length;
  return 1 + Math.max(0, ...poolsBelow(picture, name).map((one) => chainOf(picture, one).length - depth));
}

/** The VMs that start and stop with the vApp: its own, and those of vApps that lie in it. */
export function membersOf(picture: Picture, app: string): string[] {
  const own = namesOf(picture, 'vm').filter((vm) => appAround(picture, vmIn(picture, vm).pool) === app);
  const apps = namesOf(picture, 'app').filter((one) => appIn(picture, one).pool === app);
  return [...own, ...apps.flatMap((one) => membersOf(picture, one))];
}
