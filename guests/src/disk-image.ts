// Makes the demo guest's disk: an MBR, a FAT partition that BIOS (SYSLINUX) and UEFI (shim, GRUB) boot from, and an ext4
// partition for data. Made from files alone: no root, no loop devices, no mounts.
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ProgramCommand, type RuntimeRoot, runProgram } from '@vivarium/qemu';

export interface DiskContent {
  readonly kernel: string;
  readonly initrd: string;
  readonly kernelArguments: string;
  /** Folder with the unpacked loader packages. */
  readonly loaders: string;
  readonly bootPartitionMiB: number;
  readonly dataPartitionMiB: number;
}

const MIB = 1 << 20;
const SECTOR = 512;
const FIRST_PARTITION_SECTOR = 2048;

/** Makes the raw image `target`, sparse; `work` is for its own use. */
export async function makeDiskImage(
  target: string,
  work: string,
  content: DiskContent,
  tools: RuntimeRoot,
): Promise<void> {
  const run = async (command: ProgramCommand) => {
    await runProgram(command.file, command.args, { env: { MTOOLS_SKIP_CHECK: '1', SOURCE_DATE_EPOCH: '0' } });
  };
  const tool = (program: string, args: readonly string[]) =>
    run(
      tools.command(program, args, {
        binds: [work],
        readOnlyBinds: [content.kernel, content.initrd, content.loaders],
      }),
    );

  const boot = join(work, 'boot.img');
  await allocate(boot, content.bootPartitionMiB * MIB);
  const fat = ['-F', '16', '-h', String(FIRST_PARTITION_SECTOR), '-i', '56495641', '-n', 'VIVARIUM', '--invariant'];
  await tool('mkfs.fat', [...fat, boot]);
  await tool('syslinux', ['--install', boot]);
  await fillBootPartition(boot, work, content, tool);

  const data = join(work, 'data.img');
  await allocate(data, content.dataPartitionMiB * MIB);
  const ext4 = ['-q', '-t', 'ext4', '-L', 'vivarium-data', '-m', '0', '-J', 'size=2'];
  await tool('mke2fs', [...ext4, '-E', 'root_owner=0:0,lazy_itable_init=0', data]);

  const image = await open(target, 'wx', 0o644);
  try {
    const dataSector = FIRST_PARTITION_SECTOR + (content.bootPartitionMiB * MIB) / SECTOR;
    const bootCode = await readFile(join(content.loaders, 'usr/lib/syslinux/mbr/mbr.bin'));
    const partitions = [
      {
        type: 0xef,
        active: true,
        firstSector: FIRST_PARTITION_SECTOR,
        sectors: (content.bootPartitionMiB * MIB) / SECTOR,
      },
      { type: 0x83, active: false, firstSector: dataSector, sectors: (content.dataPartitionMiB * MIB) / SECTOR },
    ];
    await image.write(formatMbr(bootCode, partitions), 0, SECTOR, 0);
    await copySparse(boot, image, FIRST_PARTITION_SECTOR * SECTOR);
    await copySparse(data, image, dataSector * SECTOR);
    await image.truncate(dataSector * SECTOR + content.dataPartitionMiB * MIB);
    await image.sync();
  } finally {
    await image.close();
  }
  await rm(boot);
  await rm(data);
}

async function fillBootPartition(
  boot: string,
  work: string,
  content: DiskContent,
  tool: (program: string, args: readonly string[]) => Promise<void>,
): Promise<void> {
  const texts = join(work, 'boot-texts');
  await mkdir(texts);
  await writeFile(join(texts, 'syslinux.cfg'), formatSyslinuxConfig(content.kernelArguments));
  await writeFile(join(texts, 'grub.cfg'), formatGrubConfig(content.kernelArguments));
  await tool('mmd', ['-i', boot, '::/EFI', '::/EFI/BOOT', '::/EFI/debian']);
  const loader = (path: string) => join(content.loaders, path);
  // The kernel comes first: lying in one piece at the start it is read in few requests.
  const files: readonly (readonly [string, string])[] = [
    [content.kernel, 'vmlinuz'],
    [content.initrd, 'initrd.img'],
    [join(texts, 'syslinux.cfg'), 'syslinux.cfg'],
    [loader('usr/lib/shim/shimx64.efi.signed'), 'EFI/BOOT/BOOTX64.EFI'],
    [loader('usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed'), 'EFI/BOOT/grubx64.efi'],
    [join(texts, 'grub.cfg'), 'EFI/debian/grub.cfg'],
  ];
  for (const [source, path] of files) await tool('mcopy', ['-i', boot, source, `::/${path}`]);
}

/** SYSLINUX also writes to the first serial port: the guest's first byte comes from here. */
function formatSyslinuxConfig(kernelArguments: string): string {
  return `SERIAL 0 115200
PROMPT 0
TIMEOUT 1
DEFAULT demo
LABEL demo
 KERNEL vmlinuz
 INITRD initrd.img
 APPEND ${kernelArguments} vivarium.boot=disk
`;
}

function formatGrubConfig(kernelArguments: string): string {
  return `search --no-floppy --label VIVARIUM --set=root
linux /vmlinuz ${kernelArguments} vivarium.boot=disk
initrd /initrd.img
boot
`;
}

export interface Partition {
  /** MBR partition type: 0xef = EFI system partition (FAT), 0x83 = Linux. */
  readonly type: number;
  readonly active: boolean;
  readonly firstSector: number;
  readonly sectors: number;
}

/** One sector: boot code (440 bytes at most), disk signature, four entries, the mark 55 AA. Addresses are LBA only. */
export function formatMbr(bootCode: Uint8Array, partitions: readonly Partition[]): Buffer {
  if (bootCode.length > 440 || partitions.length > 4) throw new RangeError('does not fit into an MBR');
  const sector = Buffer.alloc(SECTOR);
  sector.set(bootCode);
  sector.write('VIVA', 440, 'latin1');
  for (const [index, partition] of partitions.entries()) {
    const entry = 446 + index * 16;
    sector[entry] = partition.active ? 0x80 : 0;
    sector.set([0xfe, 0xff, 0xff], entry + 1);
    sector[entry + 4] = partition.type;
    sector.set([0xfe, 0xff, 0xff], entry + 5);
    sector.writeUInt32LE(partition.firstSector, entry + 8);
    sector.writeUInt32LE(partition.sectors, entry + 12);
  }
  sector.set([0x55, 0xaa], 510);
  return sector;
}

async function allocate(path: string, bytes: number): Promise<void> {
  const file = await open(path, 'wx', 0o644);
  try {
    await file.truncate(bytes);
  } finally {
    await file.close();
  }
}

/** Writes only what is not zero, so that the target stays sparse. */
async function copySparse(source: string, target: Awaited<ReturnType<typeof open>>, offset: number): Promise<void> {
  const content = await readFile(source);
  const step = 64 * 1024;
  const zeros = Buffer.alloc(step);
  for (let at = 0; at < content.length; at += step) {
    const piece = content.subarray(at, at + step);
    if (!piece.equals(zeros.subarray(0, piece.length))) await target.write(piece, 0, piece.length, offset + at);
  }
}
