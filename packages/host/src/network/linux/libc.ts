// The few system calls that Node has no function for, called synchronously on the thread that asks: a caller may count on
// what it does to its own thread (setns) being done and undone before any other JavaScript runs.
import { getSystemErrorName } from 'node:util';
import koffi from 'koffi';

/** A system call was refused; `code` is the errno's name, e.g. `EBUSY`. */
export class SystemCallError extends Error {
  override readonly name = 'SystemCallError';
  readonly code: string;

  constructor(call: string, code: string) {
    super(`${call}: ${code}`);
    this.code = code;
  }
}

export interface Libc {
  open(path: string, flags: number): number;
  close(fd: number): void;
  ioctl(fd: number, request: number, argument: Uint8Array): void;
  /** The same call for requests whose argument is a plain number. */
  ioctlNumber(fd: number, request: number, argument: number): void;
  /** The same call for requests whose argument points to more: `pointed` is read and written, its address goes to `at`. */
  ioctlPointing(fd: number, request: number, argument: Buffer, at: number, pointed: Buffer): void;
  /** An IPv4 datagram socket, close-on-exec: what requests about network devices are made on. */
  deviceSocket(): number;
  setns(fd: number, type: number): void;
  unshare(flags: number): void;
  bindMount(source: string, target: string): void;
  unmountDetached(target: string): void;
}

export const O_RDWR = 0o2;
export const O_NONBLOCK = 0o4000;
export const O_CLOEXEC = 0o2000000;
export const CLONE_NEWNET = 0x4000_0000;
const AF_INET = 2;
const SOCK_DGRAM = 2;
const MS_BIND = 4096;
const MNT_DETACH = 2;

/** Opens the C library; call it once, where the program is put together. */
export function loadLibc(): Libc {
  const library = koffi.load('libc.so.6');
  const call = (name: string, signature: string) => {
    const native = library.func(signature);
    return (...args: unknown[]): number => {
      const result: number = native(...args);
      if (result < 0) throw new SystemCallError(name, getSystemErrorName(-koffi.errno()));
      return result;
    };
  };
  const open = call('open', 'int open(const char *path, int flags)');
  const close = call('close', 'int close(int fd)');
  const ioctl = call('ioctl', 'int ioctl(int fd, unsigned long request, _Inout_ uint8_t *argument)');
  const ioctlNumber = call('ioctl', 'int ioctl(int fd, unsigned long request, unsigned long argument)');
  const socket = call('socket', 'int socket(int domain, int type, int protocol)');
  const setns = call('setns', 'int setns(int fd, int type)');
  const unshare = call('unshare', 'int unshare(int flags)');
  const mount = call(
    'mount',
    'int mount(const char *source, const char *target, const char *type, unsigned long flags, void *data)',
  );
  const unmount = call('umount2', 'int umount2(const char *target, int flags)');
  return {
    open: (path, flags) => open(path, flags),
    close: (fd) => void close(fd),
    ioctl: (fd, request, argument) => void ioctl(fd, request, argument),
    ioctlNumber: (fd, request, argument) => void ioctlNumber(fd, request, argument),
    ioctlPointing: (fd, request, argument, at, pointed) => {
      const type = koffi.array('uint8_t', pointed.length);
      const memory: unknown = koffi.alloc('uint8_t', pointed.length);
      try {
        koffi.encode(memory, type, pointed);
        argument.writeBigUInt64LE(BigInt(koffi.address(memory)), at);
        ioctl(fd, request, argument);
        pointed.set(koffi.decode(memory, type) as Uint8Array);
      } finally {
        koffi.free(memory);
      }
    },
    deviceSocket: () => socket(AF_INET, SOCK_DGRAM | O_CLOEXEC, 0),
    setns: (fd, type) => void setns(fd, type),
    unshare: (flags) => void unshare(flags),
    bindMount: (source, target) => void mount(source, target, null, MS_BIND, null),
    unmountDetached: (target) => void unmount(target, MNT_DETACH),
  };
}
