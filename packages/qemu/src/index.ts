export type { ProbePayload } from './accelerator/probe-kvm.ts';
export { probeKvm } from './accelerator/probe-kvm.ts';
export { type QualifyOptions, qualifyAccelerator } from './accelerator/qualify-accelerator.ts';
export type { Verdict as AcceleratorVerdict } from './accelerator/verdict.ts';
export { connectGuestAgent } from './agent/connect.ts';
export { type AgentOptions, GuestAgent } from './agent/guest-agent.ts';
export { fileSystems, hostName, networkInterfaces, osInfo } from './agent/guest-facts.ts';
export { shutdown } from './agent/guest-orders.ts';
export {
  type CopyOptions,
  convertUpload,
  copyImage,
  exportStreamOptimized,
  type UploadedImage,
} from './images/convert-image.ts';
export { createDisk, type DiskTarget, type Preallocation, requireSpace, resizeDisk } from './images/create-disk.ts';
export type { DataFormat, ImageSource } from './images/image.ts';
export { ImageError, ImageExistsError, ImageRefusedError, NoSpaceError } from './images/image-error.ts';
export {
  allocatedBytes,
  compareImages,
  type ImageInfo,
  imageInfo,
  type ReadOptions,
  requireSelfContained,
} from './images/image-info.ts';
export { removeUnfinishedFiles } from './images/new-file.ts';
export type { ImageTools } from './images/qemu-img.ts';
export { prepareCgroups } from './launch/cgroup-hierarchy.ts';
export type { Group, GroupLimits } from './launch/cgroup-layout.ts';
export { CgroupTree } from './launch/cgroup-tree.ts';
export { type Bind, type Command, type Jail, type JailMode, jailCommand } from './launch/jail.ts';
export { FIRST_FD, jailFolders, LaunchError, type Launched, type LaunchSpec, launch } from './launch/launch.ts';
export {
  findProcess,
  identifyProcess,
  isAlive,
  signalProcess,
  type VmProcess,
} from './launch/process-identity.ts';
export { ProcessMeter, type ProcessUsage, type VcpuUsage } from './launch/process-meter.ts';
export { type JailedTool, runJailed, ToolError } from './launch/tool.ts';
export { queryBalloon, queryGuestMemory, setBalloon, setGuestStatisticsInterval } from './monitor/balloon.ts';
export {
  type BlockStatistics,
  blockdevAddAll,
  blockdevDeleteAll,
  blockResize,
  changeMedium,
  queryBlockStatistics,
  setIopsLimit,
} from './monitor/block.ts';
export { type ChardevBackend, chardevChange, queryChardev } from './monitor/chardev.ts';
export { connectMonitor } from './monitor/connect.ts';
export {
  deviceAdd,
  deviceDelete,
  plugCpus,
  plugMemory,
  queryMemoryModules,
  queryMemorySize,
} from './monitor/devices.ts';
export { screendump, setVncPassword } from './monitor/display.ts';
export { MonitorClosedError, MonitorTimeoutError, QmpError } from './monitor/errors.ts';
export { type MachineEvent, readEvent } from './monitor/events.ts';
export { sendKeys } from './monitor/input.ts';
export { abandonSaving, loadState, saveState } from './monitor/migration.ts';
export { Monitor } from './monitor/monitor.ts';
export { netdevAdd, netdevDelete, queryRxFilter, setLink } from './monitor/network.ts';
export { continueMachine, queryStatus, quit, systemPowerdown, systemReset } from './monitor/run-state.ts';
export { getFd, loadSendWithFd, type SendWithFd } from './monitor/send-fd.ts';
export { openTranscript } from './monitor/transcript.ts';
export { qcodeOf, usageOfHidCode } from './monitor/usb-hid.ts';
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
