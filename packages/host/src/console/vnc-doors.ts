// VNC for other machines, as ESXi offers it by RemoteDisplay.vnc.* in a VM's configuration: a TCP port of the host leads to the
// VM's screen while the VM runs and `enabled` is TRUE. Without a password nothing is opened: ESXi would let everybody in.
// Source: VMware KB 1246, "Connecting to a virtual machine console by VNC".
import { connect, createServer, type Server } from 'node:net';
import type { Logger } from '@vivarium/base';
import type { VirtualMachineConfigInfo } from '@vivarium/vim';

export interface VncWish {
  readonly port: number;
  readonly password: string;
}

const PREFIX = 'RemoteDisplay.vnc.';
const FIRST_PORT = 5900;

/** What a configuration asks for; `undefined` when VNC is off, or has no password. Pure. */
export function vncWish(config: VirtualMachineConfigInfo): VncWish | undefined {
  const option = (name: string) => {
    const value = config.extraConfig?.find(({ key }) => key.toLowerCase() === `${PREFIX}${name}`.toLowerCase())?.value;
    return typeof value === 'string' ? value : undefined;
  };
  const port = Number(option('port') ?? FIRST_PORT);
  const password = option('password') ?? '';
  if (option('enabled')?.toLowerCase() !== 'true' || password === '') return undefined;
  return Number.isInteger(port) && port > 0 && port < 65536 ? { port, password } : undefined;
}

export interface VncScreen {
  readonly id: string;
  readonly config: VirtualMachineConfigInfo;
  /** Opens the machine's VNC server with this password; its socket's path. `undefined` while the VM does not run. */
  openVnc(password: string): Promise<string | undefined>;
}

interface OpenDoor extends VncWish {
  readonly server: Server;
}

export class VncDoors {
  readonly #address: string;
  readonly #log: Logger;
  readonly #doors = new Map<string, OpenDoor>();

  /** `address` is what the doors listen on. */
  constructor(options: { readonly address: string; readonly log: Logger }) {
    this.#address = options.address;
    this.#log = options.log;
  }

  /** Makes the VM's door as its configuration and power state say. Call it after every change of either. */
  async follow(screen: VncScreen, isRunning: boolean): Promise<void> {
    const wish = isRunning ? vncWish(screen.config) : undefined;
    const door = this.#doors.get(screen.id);
    if (door?.port === wish?.port && door?.password === wish?.password) return;
    this.drop(screen.id);
    if (!wish) return;
    const server = createServer();
    this.#doors.set(screen.id, { ...wish, server });
    try {
      const socketPath = await screen.openVnc(wish.password);
      if (socketPath === undefined || this.#doors.get(screen.id)?.server !== server) return;
      server.on('connection', (client) => {
        const vnc = connect(socketPath);
        vnc.on('error', () => client.destroy());
        client.on('error', () => vnc.destroy());
        client.pipe(vnc).pipe(client);
      });
      server.on('error', (error) =>
        this.#log.warn({ vm: screen.id, port: wish.port, err: error }, 'VNC port not opened'),
      );
      server.listen(wish.port, this.#address);
    } catch (error) {
      this.#log.warn({ vm: screen.id, port: wish.port, err: error }, 'VNC not opened');
      this.drop(screen.id);
    }
  }

  /** Closes a VM's door; connections that are open end with the machine. */
  drop(id: string): void {
    this.#doors.get(id)?.server.close();
    this.#doors.delete(id);
  }

  close(): void {
    for (const id of [...this.#doors.keys()]) this.drop(id);
  }
}
