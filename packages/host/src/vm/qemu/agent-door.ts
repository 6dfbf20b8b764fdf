// The way to a guest's agent: one connection, made when somebody asks and made anew when it broke.
import type { Clock, Random } from '@vivarium/base';
import {
  connectGuestAgent,
  fileSystems,
  type GuestAgent,
  hostName,
  networkInterfaces,
  osInfo,
  shutdown,
} from '@vivarium/qemu';
import type { GuestFacts } from '../guest-facts.ts';
import type { GuestAgentDoor } from '../vmm.ts';

export class AgentDoor implements GuestAgentDoor {
  readonly #path: string;
  readonly #options: { readonly clock: Clock; readonly random: Random };
  #agent: Promise<GuestAgent> | undefined;

  constructor(path: string, options: { readonly clock: Clock; readonly random: Random }) {
    this.#path = path;
    this.#options = options;
  }

  async facts(): Promise<GuestFacts> {
    const agent = await this.#connect();
    const interfaces = await networkInterfaces(agent);
    const name = await hostName(agent).catch(() => undefined);
    const os = await osInfo(agent).catch(() => undefined);
    const disks = await fileSystems(agent).catch(() => undefined);
    return {
      interfaces: interfaces.flatMap(({ mac, addresses }) =>
        mac === undefined
          ? []
          : [{ mac, addresses: addresses.map(({ address, prefixLength }) => ({ address, prefix: prefixLength })) }],
      ),
      ...(name === undefined ? {} : { hostName: name }),
      ...(disks === undefined ? {} : { fileSystems: disks }),
      ...(os?.prettyName === undefined ? {} : { osName: os.prettyName }),
    };
  }

  async shutdown(mode: 'powerdown' | 'reboot'): Promise<void> {
    await shutdown(await this.#connect(), mode);
  }

  close(): void {
    this.#agent?.then(
      (agent) => agent.close(),
      () => undefined,
    );
    this.#agent = undefined;
  }

  #connect(): Promise<GuestAgent> {
    if (this.#agent) return this.#agent;
    const connecting = connectGuestAgent(this.#path, this.#options);
    this.#agent = connecting;
    const forget = () => {
      if (this.#agent === connecting) this.#agent = undefined;
    };
    connecting.then((agent) => agent.closed.then(forget), forget);
    return connecting;
  }
}
