// Imports on a simulated host (ResourcePool.ImportVApp): the VM is made at once. Its disks are taken and judged as on a real host,
// and then forgotten, for simulated disks have no content.
import type { Readable } from 'node:stream';
import { type Clock, type Random, token } from '@vivarium/base';
import { type ImportDisk, ImportLease, importDisks, leaseInfo, newLeaseProperties } from '@vivarium/host/view';
import type { FolderAnswer, NfcRequest } from '@vivarium/vcenter';
import {
  type ImportSpec,
  isA,
  type ManagedObjectReference,
  MethodFault,
  type MoRef,
  moRef,
  toLocalizedMethodFault,
  type VirtualMachineConfigSpec,
} from '@vivarium/vim';
import { type Call, httpStatus, ObjectGraph } from '@vivarium/vmomi';
import { checkUpload } from '@vivarium/vmx';
import { plainReply } from './folder-request.ts';
import type { SimVmState } from './sim-vm.ts';

/** What a VMDK is judged by: its header with the descriptor, and its footer. */
const HEAD_BYTES = 64 * 1024;
const TAIL_BYTES = 1536;

export interface SimImportsOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly create: (spec: VirtualMachineConfigSpec) => SimVmState;
  /** Removes a VM that was to be imported. Never throws. */
  readonly discard: (vm: string) => void;
}

export class SimImports {
  readonly #options: SimImportsOptions;
  /** Of the leases alone: they are no part of the host's inventory. */
  readonly #graph = new ObjectGraph();
  readonly #leases = new Map<string, ImportLease>();

  constructor(options: SimImportsOptions) {
    this.#options = options;
  }

  /** Faults: NotSupported (a vApp). What else is wrong becomes the lease's error. */
  begin(spec: ImportSpec): MoRef<'HttpNfcLease'> {
    if (!isA('VirtualMachineImportSpec', spec)) throw new MethodFault('NotSupported', {}, 'a host has no vApps');
    const { clock, random, create } = this.#options;
    const lease = new ImportLease(token(random, 24), {
      clock,
      keep: async () => undefined,
      discard: async ({ value }) => this.#options.discard(value),
      ended: () => undefined,
      forget: (over) => {
        this.#leases.delete(over.token);
        if (over.ref) this.#graph.remove(over.ref);
      },
    });
    const ref = moRef('HttpNfcLease', `haLease-${token(random, 8)}`);
    lease.attach(this.#graph.add(ref, newLeaseProperties, lease.handlers()));
    this.#leases.set(lease.token, lease);
    try {
      const { ref: vm, config } = create(spec.configSpec);
      const disks = importDisks(config.name, config.hardware.device ?? []);
      const endpoint = { port: 443, sslThumbprint: '' };
      lease.ready(vm, disks, leaseInfo({ lease: ref, token: lease.token, vm, disks, endpoint }));
    } catch (error) {
      void lease.fail(toLocalizedMethodFault(error));
    }
    return ref;
  }

  /** A method of HttpNfcLease. Faults: as the real host's. */
  perform(ref: ManagedObjectReference, method: string, args: Readonly<Record<string, unknown>>): unknown {
    const run = this.#graph.get(ref as MoRef).method(method);
    if (!run) throw new MethodFault('NotSupported');
    return run(args, {} as Call); // leases do not ask who calls: whoever knows them may
  }

  /** See HostLink.watch. */
  async *watch(
    ref: ManagedObjectReference,
    paths: readonly string[],
    signal: AbortSignal,
  ): AsyncIterable<Readonly<Record<string, unknown>>> {
    const object = this.#graph.get(ref as MoRef);
    let changed = Promise.withResolvers<void>();
    const wake = () => changed.resolve();
    const stop = this.#graph.subscribe(object.ref, wake);
    signal.addEventListener('abort', wake, { once: true });
    const said = new Map<string, unknown>();
    try {
      while (!signal.aborted) {
        changed = Promise.withResolvers();
        const news = paths
          .map((path) => [path, object.getPath(path)] as const)
          .filter(([path, value]) => said.get(path) !== value);
        for (const [path, value] of news) said.set(path, value);
        if (news.length > 0) yield Object.fromEntries(news);
        else await changed.promise;
      }
    } finally {
      stop();
      signal.removeEventListener('abort', wake);
    }
  }

  /** What the /nfc door does on a real host. */
  async receive({ lease: leaseToken, file, headers, body, signal }: NfcRequest): Promise<FolderAnswer> {
    const lease = this.#leases.get(leaseToken);
    const disk = lease?.findDisk(file);
    if (!lease || !disk) {
      body.resume();
      return plainReply(404);
    }
    const isOver = AbortSignal.any([signal, lease.signal]);
    const breakOff = () => body.destroy();
    isOver.addEventListener('abort', breakOff, { once: true });
    try {
      const upload = await lease.transfer(() => readUpload(body, () => lease.touch()));
      const announced = headers['content-length'];
      if (announced !== undefined && Number(announced) !== upload.sizeBytes) return plainReply(400);
      const wrong = whatIsWrong(disk, upload);
      return wrong ? plainReply(httpStatus(wrong), `${wrong.message}\n`) : plainReply(200);
    } catch {
      return plainReply(400); // the sender went away, or the import ended
    } finally {
      isOver.removeEventListener('abort', breakOff);
    }
  }
}

interface Upload {
  readonly name: string;
  readonly sizeBytes: number;
  readonly head: Uint8Array;
  readonly tail: Uint8Array;
}

async function readUpload(body: Readable, arrived: () => void): Promise<Upload> {
  let head = Buffer.alloc(0);
  let tail = Buffer.alloc(0);
  let sizeBytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    arrived();
    sizeBytes += chunk.length;
    if (head.length < HEAD_BYTES) head = Buffer.concat([head, chunk.subarray(0, HEAD_BYTES - head.length)]);
    tail = Buffer.concat([tail, chunk]).subarray(-TAIL_BYTES);
  }
  return { name: 'upload.vmdk', sizeBytes, head, tail };
}

function whatIsWrong({ path: file, capacityBytes }: ImportDisk, upload: Upload): MethodFault | undefined {
  const bad = (why: string) => new MethodFault('InvalidDiskFormat', {}, `${file}: ${why}`);
  const plan = checkUpload(upload, (name) => (name === upload.name ? upload : undefined));
  if (plan.kind === 'refused') return bad(plan.message);
  if (plan.extents.some(({ fileName }) => fileName !== upload.name)) return bad('the disk must come in one file');
  return plan.capacityBytes > capacityBytes ? bad('the file holds a larger disk than was announced') : undefined;
}
