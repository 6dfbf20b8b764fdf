// Hands open descriptors to a running QEMU: the command and the descriptor go over the monitor's socket in one message
// (SCM_RIGHTS), for which Node has no function. Used when a NIC is plugged into a running machine.

import { getSystemErrorName } from 'node:util';
import koffi from 'koffi';
import type { Monitor } from './monitor.ts';

/** Sends bytes and one descriptor on a connected unix socket, all or nothing. */
export type SendWithFd = (socketFd: number, bytes: Buffer, fd: number) => void;

const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_NOSIGNAL = 0x4000;

/** Opens the C library; call it once, where the program is put together. */
export function loadSendWithFd(): SendWithFd {
  const iovec = koffi.struct({ base: 'const uint8_t *', length: 'size_t' });
  // struct msghdr of Linux on 64-bit machines.
  const message = koffi.struct({
    name: 'void *',
    nameLength: 'uint32_t',
    vectors: koffi.pointer(iovec),
    vectorCount: 'size_t',
    control: 'const uint8_t *',
    controlLength: 'size_t',
    flags: 'int',
  });
  const sendmsg = koffi.load('libc.so.6').func('sendmsg', 'int64_t', ['int', koffi.pointer(message), 'int']);
  return (socketFd, bytes, fd) => {
    const control = controlMessage(fd);
    const sent: number = sendmsg(
      socketFd,
      {
        name: null,
        nameLength: 0,
        vectors: [{ base: bytes, length: bytes.length }],
        vectorCount: 1,
        control,
        controlLength: control.length,
        flags: 0,
      },
      MSG_NOSIGNAL,
    );
    if (sent < 0) throw new Error(`sendmsg: ${getSystemErrorName(-koffi.errno())}`);
    if (sent !== bytes.length) throw new Error(`sendmsg: ${sent} of ${bytes.length} bytes`);
  };
}

// struct cmsghdr { size_t len; int level; int type; } and the descriptor, padded to 8 bytes.
function controlMessage(fd: number): Buffer {
  const control = Buffer.alloc(24);
  control.writeBigUInt64LE(20n, 0);
  control.writeInt32LE(SOL_SOCKET, 8);
  control.writeInt32LE(SCM_RIGHTS, 12);
  control.writeInt32LE(fd, 16);
  return control;
}

/**
 * Gives QEMU a copy of `fd` under a name that the next `netdevAdd` on the same monitor can use as its `fd`. The caller keeps and
 * closes its own. Names start with a letter; a name that is in use is replaced.
 */
export async function getFd(monitor: Monitor, name: string, fd: number, send: SendWithFd): Promise<void> {
  const { stream } = monitor;
  await monitor.executeVia(
    (bytes) => {
      // Bytes that Node still holds back would come after ours and in the middle of nothing: QMP is idle here in practice.
      if (stream.writableLength > 0) throw new Error('getfd: the monitor is busy');
      send(socketDescriptor(stream), bytes, fd);
    },
    'getfd',
    { fdname: name },
  );
}

/** Lets go of a descriptor that no device took. */
export async function closeFd(monitor: Monitor, name: string): Promise<void> {
  await monitor.execute('closefd', { fdname: name });
}

// Node keeps the descriptor of a socket in its handle and has no public way to it.
function socketDescriptor(stream: object): number {
  const handle: unknown = Reflect.get(stream, '_handle');
  const fd: unknown = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'fd') : undefined;
  if (typeof fd !== 'number' || fd < 0) throw new Error('getfd: the monitor is not a socket');
  return fd;
}
