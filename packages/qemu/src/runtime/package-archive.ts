// Debian packages without installing them: a private apt state (nothing of the machine's own is touched, no root
// needed, no maintainer script runs) that still obeys the machine's apt.conf: proxies, credentials, TLS, timeouts.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type AptSource,
  chooseMirror,
  type DebianMirror,
  parseDeb822Sources,
  parseOsRelease,
  parseSourcesList,
} from './apt-sources.ts';
import { runProgram } from './run-program.ts';

/** Debian release that runtimes and guests are built from; newer QEMU comes from its backports. */
export const DEBIAN_RELEASE = 'trixie';

export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  readonly file: string;
}

/** Fraction 0..1 of the step that `text` names; absent when it cannot be told. */
export type Progress = (text: string, fraction?: number) => void;

export interface PackageArchive extends AsyncDisposable {
  /** What {@link PackageArchive.fetchClosure} would download: names and versions, dependencies first. */
  planClosure(names: readonly string[], options?: FetchOptions): Promise<DebianPackage[]>;
  /** Downloads packages with everything they depend on (no Recommends), as for an empty machine. */
  fetchClosure(names: readonly string[], options?: FetchOptions): Promise<DebianPackage[]>;
  /** Downloads exactly the named packages. */
  fetchOnly(names: readonly string[], options?: FetchOptions): Promise<DebianPackage[]>;
}

export interface FetchOptions {
  /** `stable` prefers the release itself; `backports` (the default) takes the newer package where there is one. */
  readonly prefer?: 'stable' | 'backports';
  readonly progress?: Progress;
  readonly signal?: AbortSignal;
}

/** This machine names no Debian mirror, so there is nowhere to take packages from. */
export class NoDebianMirrorError extends Error {
  override readonly name = 'NoDebianMirrorError';
}

/** The mirror that the machine's own apt configuration names. Errors: {@link NoDebianMirrorError}. */
export async function findDebianMirror(): Promise<DebianMirror> {
  const release = parseOsRelease(await readFile('/etc/os-release', 'utf8'));
  const codename = release.get('VERSION_CODENAME') ?? 'stable';
  const mirror = chooseMirror(await readMachineSources(), codename);
  if (release.get('ID') !== 'debian' || mirror === undefined) {
    throw new NoDebianMirrorError(
      `no Debian mirror in the apt sources of ${release.get('PRETTY_NAME') ?? 'this machine'}; Vivarium needs Debian 12 or 13`,
    );
  }
  return mirror;
}

async function readMachineSources(): Promise<AptSource[]> {
  const read = (path: string) => readFile(path, 'utf8').catch(() => '');
  const parts = '/etc/apt/sources.list.d';
  const names = (await readdir(parts).catch(() => [])).sort();
  const sources = parseSourcesList(await read('/etc/apt/sources.list'));
  for (const name of names) {
    if (name.endsWith('.list')) sources.push(...parseSourcesList(await read(join(parts, name))));
    if (name.endsWith('.sources')) sources.push(...parseDeb822Sources(await read(join(parts, name))));
  }
  return sources;
}

/**
 * Opens a private apt state and reads the mirror's index; dispose to remove the state with everything downloaded. Errors: {@link NoDebianMirrorError}; `ProgramError` with apt's words.
 */
export async function openPackageArchive(options: {
  /** Where the state's own folder is made. */
  readonly folder: string;
  readonly mirror: DebianMirror;
  readonly progress?: Progress;
  readonly signal?: AbortSignal;
}): Promise<PackageArchive> {
  await using undo = new AsyncDisposableStack();
  const folder = await mkdtemp(join(options.folder, 'apt-'));
  undo.defer(() => rm(folder, { recursive: true, force: true }));
  for (const path of ['lists/partial', 'archives/partial', 'sources', 'preferences', 'only']) {
    await mkdir(join(folder, path), { recursive: true });
  }
  await writeFile(join(folder, 'status'), '');
  await writeFile(join(folder, 'sources', 'debian.sources'), formatSources(options.mirror));
  await writeFile(
    join(folder, 'preferences', 'backports'),
    `Package: *\nPin: release n=${DEBIAN_RELEASE}-backports\nPin-Priority: 600\n`,
  );
  await writeFile(join(folder, 'apt.conf'), formatAptConfig(folder));
  const apt = async (args: readonly string[], step: string, call: FetchOptions = {}, cwd?: string) => {
    const { stdout } = await runProgram(
      'apt-get',
      ['-q', '-y', '-c', join(folder, 'apt.conf'), '-o', 'APT::Status-Fd=1', ...args],
      {
        env: { DEBIAN_FRONTEND: 'noninteractive' },
        ...(cwd === undefined ? {} : { cwd }),
        ...(call.signal === undefined ? {} : { signal: call.signal }),
        onOutput: (text) => reportDownload(text, step, call.progress),
      },
    );
    return stdout.toString();
  };
  options.progress?.('reading the package index');
  await apt(['update', '--error-on=any'], 'reading the package index', options);
  const release = (call: FetchOptions) => (call.prefer === 'stable' ? ['-t', DEBIAN_RELEASE] : []);
  const owned = undo.move();
  const planClosure = async (names: readonly string[], call: FetchOptions = {}) => {
    const plan = await apt(['-s', ...release(call), 'install', ...names], 'choosing packages', call);
    return parseInstallPlan(plan, join(folder, 'archives'));
  };
  return {
    planClosure,
    async fetchClosure(names, call = {}) {
      const plan = await planClosure(names, call);
      await apt(['-d', ...release(call), 'install', ...names], 'downloading packages', call);
      return plan;
    },
    async fetchOnly(names, call = {}) {
      const target = await mkdtemp(join(folder, 'only', 'x'));
      await apt([...release(call), 'download', ...names], 'downloading packages', call, target);
      return (await readdir(target)).map((name) => parsePackageFile(join(target, name)));
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** deb822 text that names the mirror for the release and its backports. */
export function formatSources(mirror: DebianMirror): string {
  const lines = [
    'Types: deb',
    'Targets: Packages',
    `URIs: ${mirror.uri}`,
    `Suites: ${DEBIAN_RELEASE} ${DEBIAN_RELEASE}-backports`,
    'Components: main',
    'Architectures: amd64',
  ];
  if (mirror.signedBy !== undefined) lines.push(`Signed-By: ${mirror.signedBy}`);
  return `${lines.join('\n')}\n`;
}

// Given with -c, so it is read after the machine's own configuration, which stays in force where nothing is said here.
// Check-Valid-Until is off because a mirror (or a dated snapshot of one) may lag; signatures are checked all the same.
function formatAptConfig(folder: string): string {
  return `Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "${folder}/sources";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "${folder}/preferences";
Dir::State "${folder}";
Dir::State::status "${folder}/status";
Dir::State::extended_states "${folder}/extended_states";
Dir::State::lists "${folder}/lists";
Dir::Cache "${folder}";
Dir::Cache::archives "${folder}/archives";
Dir::Cache::pkgcache "pkgcache.bin";
Dir::Cache::srcpkgcache "srcpkgcache.bin";
APT::Architecture "amd64";
#clear APT::Architectures;
APT::Architectures { "amd64"; };
APT::Install-Recommends "false";
APT::Sandbox::User "root";
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
Acquire::Languages "none";
Acquire::Check-Valid-Until "false";
Acquire::Retries "3";
`;
}

/** apt's own progress lines, `dlstatus:ITEM:PERCENT:TEXT` (apt's README.progress-reporting). */
function reportDownload(text: string, step: string, progress: Progress | undefined): void {
  if (progress === undefined) return;
  const percent = [...text.matchAll(/^dlstatus:\d+:([\d.]+):/gm)].at(-1)?.[1];
  if (percent !== undefined) progress(step, Number(percent) / 100);
}

/** `Inst NAME (VERSION ARCHIVE… [ARCH])` lines of `apt-get -s install`, in the order in which apt would unpack. */
export function parseInstallPlan(plan: string, archives: string): DebianPackage[] {
  return [...plan.matchAll(/^Inst (\S+) (?:\[\S+\] )?\((\S+) .*\[(\w+)\]\)/gm)].map(
    ([, name = '', version = '', arch = '']) => ({
      name,
      version,
      file: join(archives, `${name}_${version.replaceAll(':', '%3a')}_${arch}.deb`),
    }),
  );
}

/** apt's file names are NAME_VERSION_ARCH.deb with `:` written as `%3a`. */
export function parsePackageFile(file: string): DebianPackage {
  const match = /([^/_]+)_([^_]+)_[^_]+\.deb$/.exec(file);
  if (match === null) throw new Error(`not a package file name: ${file}`);
  return { name: match[1] ?? '', version: decodeURIComponent(match[2] ?? ''), file };
}
