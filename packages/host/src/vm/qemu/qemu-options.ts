// What the machines of one host have in common.
import type { Clock, Logger, Random } from '@vivarium/base';
import type { JailMode } from '@vivarium/qemu';
import type { Accelerator } from '@vivarium/qemu/machine';
import type { NetworkProvider } from '../../network/provider.ts';
import type { GroupKeeper } from '../../resource-pool/control-groups.ts';

export interface QemuOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly runtimePath: string;
  /** One folder per running VM below it. Absolute and short: socket paths end at 107 bytes. */
  readonly runRoot: string;
  readonly jail: JailMode;
  /** In jail mode `full` every VMM gets a uid of its own, counted from here. */
  readonly firstUid: number;
  readonly accelerator: Accelerator;
  readonly network: NetworkProvider;
  /** Has a group for a VM before it starts; keeps it and takes it away afterwards. */
  readonly groups: GroupKeeper | undefined;
  /** Root folder of the datastore that a file lies in: where links to images can be made. */
  datastoreRoot(file: string): string;
}

/** Uids wrap around far below what the kernel allows; two VMs 50,000 apart may share one. */
const UIDS = 50_000;

export function vmUid(options: Pick<QemuOptions, 'firstUid' | 'jail'>, id: string): number | undefined {
  return options.jail === 'full' ? options.firstUid + (Number(id) % UIDS) : undefined;
}
