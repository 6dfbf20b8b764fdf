export { type Bind, type Command, type Jail, type JailMode, jailCommand } from './launch/jail.ts';
export { type JailedTool, runJailed, ToolError } from './launch/tool.ts';
export { type CachedBuild, ensureBuilt } from './runtime/cached-build.ts';
export { type EnsureRuntimeOptions, ensureRuntime, findRuntime } from './runtime/ensure-runtime.ts';
export { extractPackages, makeMergedUsr } from './runtime/extract-packages.ts';
export {
  type DebianPackage,
  findDebianMirror,
  NoDebianMirrorError,
  openPackageArchive,
  type PackageArchive,
  type Progress,
} from './runtime/package-archive.ts';
export { unpackProgramRoot } from './runtime/program-root.ts';
export { ProgramError, runProgram } from './runtime/run-program.ts';
export {
  type CommandOptions,
  makeRuntimeRoot,
  openRuntimeRoot,
  type ProgramCommand,
  type RuntimeRoot,
} from './runtime/runtime-root.ts';
