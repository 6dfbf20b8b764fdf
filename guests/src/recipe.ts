// What the demo guest is made of. Data only.

export const DEMO_RECIPE = {
  /** Raised when the code that builds the guest changes what comes out. */
  revision: 2,
  /** The full kernel: the smaller cloud kernel has no AHCI, e1000e or LSI drivers. */
  kernel: 'linux-image-amd64',
  /** Their programs, with the libraries these need, go into the guest. */
  userland: ['busybox-static', 'qemu-guest-agent', 'dropbear-bin'],
  programs: ['/usr/bin/busybox', '/usr/sbin/qemu-ga', '/usr/sbin/dropbear', '/usr/bin/dropbearkey'],
  /** Boot loaders: BIOS, and UEFI with Secure Boot. */
  loaders: ['syslinux', 'syslinux-common', 'shim-signed', 'grub-efi-amd64-signed'],
  /** What the build itself runs; thrown away afterwards. SYSLINUX calls mtools through a shell. */
  tools: ['syslinux', 'mtools', 'dosfstools', 'e2fsprogs', 'xz-utils', 'dash', 'bubblewrap'],
  /** Kernel modules by name; what they depend on comes by itself. */
  modules: [
    ...['sd_mod', 'sr_mod', 'vmw_pvscsi', 'mptspi', 'mptsas', 'sym53c8xx', 'ahci', 'ata_piix', 'nvme'],
    ...['virtio_blk', 'virtio_scsi', 'virtio_net', 'virtio_balloon', 'virtio_rng', 'virtio_mem'],
    ...['vmxnet3', 'e1000', 'e1000e', 'pcnet32', 'vmw_balloon'],
    ...['ext4', 'crc32c_generic', 'isofs', 'vfat', 'nls_ascii', 'nls_cp437', 'nls_iso8859-1', 'nls_utf8'],
    ...['xhci_pci', 'ehci_pci', 'uhci_hcd', 'usbhid', 'hid_generic', 'evdev', 'button'],
  ],
  /** The crypto self-tests alone take 0.8 s under emulation. */
  kernelArguments: 'console=tty0 console=ttyS0,115200n8 quiet loglevel=3 panic=5 mitigations=off cryptomgr.notests',
  /** Sizes in MiB. */
  bootPartitionMiB: 40,
  dataPartitionMiB: 22,
} as const;

/** What the probe payload's user space prints on the first serial port. */
export const PROBE_LINE = 'vivarium-probe: 64-bit user space runs';
