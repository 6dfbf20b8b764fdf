// A streamOptimized VMDK without content, as a client sends it: header, descriptor, end of stream with the footer.
const SECTOR = 512;
const DESCRIPTOR_SECTORS = 20;
const AT_END = 0xffff_ffff_ffff_ffffn;

export function streamOptimized(capacityBytes: number): Uint8Array {
  const sectors = capacityBytes / SECTOR;
  const bytes = new Uint8Array((1 + DESCRIPTOR_SECTORS + 3) * SECTOR);
  const descriptor = [
    '# Disk DescriptorFile',
    'version=1',
    'CID=7a1b2c3d',
    'parentCID=ffffffff',
    'createType="streamOptimized"',
    `RW ${sectors} SPARSE "disk.vmdk"`,
    'ddb.adapterType = "lsilogic"',
  ];
  const footerAt = bytes.length - 3 * SECTOR;
  bytes.set(header(sectors, AT_END));
  bytes.set(new TextEncoder().encode(descriptor.join('\n')), SECTOR);
  new DataView(bytes.buffer).setUint32(footerAt + 12, 3, true); // the marker of a footer
  bytes.set(header(sectors, 26n), footerAt + SECTOR);
  return bytes;
}

function header(sectors: number, directory: bigint): Uint8Array {
  const bytes = new Uint8Array(SECTOR);
  const data = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode('KDMV'));
  data.setUint32(4, 3, true);
  data.setUint32(8, 0x30001, true); // compressed grains, with markers
  data.setBigUint64(12, BigInt(sectors), true);
  data.setBigUint64(20, 128n, true);
  data.setBigUint64(28, 1n, true);
  data.setBigUint64(36, BigInt(DESCRIPTOR_SECTORS), true);
  data.setUint32(44, SECTOR, true);
  data.setBigUint64(56, directory, true);
  data.setBigUint64(64, 128n, true);
  bytes.set([0x0a, 0x20, 0x0d, 0x0a], 73);
  data.setUint16(77, 1, true);
  return bytes;
}
