// VirtualDiskManager: virtual disks without a VM around them.
import { type Handlers, isA, MethodFault, make, type VirtualDiskInfo } from '@vivarium/vim';
import type { Call } from '@vivarium/vmomi';
import { type Location, locationText } from '../datastore/datastore.ts';
import { checkPrivilege, type StorageApi, type StorageTask } from '../datastore/storage-api.ts';
import { copyDisk } from './copy-disk.ts';
import { createDisk, ownDisk } from './create-disk.ts';
import { deleteDisk } from './delete-disk.ts';
import type { ImageRun } from './disk-images.ts';
import { parseDiskSpec, parseUuid } from './disk-spec.ts';
import { growDisk } from './grow-disk.ts';
import { moveDisk } from './move-disk.ts';
import { writeDescriptor } from './place-disk.ts';
import { reformatDisk, zeroDisk } from './reformat-disk.ts';
import { diskChain, readVirtualDisk, type VirtualDisk } from './virtual-disk.ts';
import type { VirtualDisks } from './virtual-disks.ts';

const PRIVILEGE = 'Datastore.FileManagement';

export function virtualDiskManagerHandlers(
  api: StorageApi,
  { context }: VirtualDisks,
): Handlers<'VirtualDiskManager', Call> {
  const locate = (name: string, call: Call): Location => {
    const place = api.datastores.locate(name);
    checkPrivilege(api, call.session, place.datastore, PRIVILEGE);
    return place;
  };
  const start = (
    operation: string,
    call: Call,
    places: readonly Location[],
    work: (run: ImageRun) => Promise<unknown>,
  ) => {
    const entity = places[0]?.datastore.ref;
    const descriptionId = `VirtualDiskManager.${operation}`;
    return api.tasks.start({ descriptionId, call, cancelable: true, ...(entity ? { entity } : {}) }, async (task) => {
      try {
        return await work(runOf(task));
      } finally {
        for (const datastore of new Set(places.map((place) => place.datastore))) api.touched(datastore);
      }
    });
  };
  const read = (name: string, call: Call) => readVirtualDisk(api.datastores, locate(name, call));

  return {
    CreateVirtualDisk_Task({ name, spec }, call) {
      const place = locate(name, call);
      if (!isA('FileBackedVirtualDiskSpec', spec))
        throw new MethodFault('InvalidArgument', { invalidProperty: 'spec' });
      const shape = parseDiskSpec(spec, 'spec');
      const capacityBytes = spec.capacityKb * 1024;
      return start('createVirtualDisk', call, [place], async (run) => {
        await createDisk(context, place, { capacityBytes, ...shape }, run);
        return name;
      });
    },

    DeleteVirtualDisk_Task({ name }, call) {
      const place = locate(name, call);
      return start('deleteVirtualDisk', call, [place], () => deleteDisk(context, place));
    },

    MoveVirtualDisk_Task({ sourceName, destName, force }, call) {
      const places = [locate(sourceName, call), locate(destName, call)] as const;
      return start('moveVirtualDisk', call, places, async (run) => {
        await moveDisk(context, ...places, force ?? false, run);
        return destName;
      });
    },

    // `force` is ignored, and without a specification the copy is preallocated, as the API says. The API's busLogic in that
    // case is not followed: it would change the geometry that a BIOS guest boots by.
    CopyVirtualDisk_Task({ sourceName, destName, destSpec }, call) {
      const places = [locate(sourceName, call), locate(destName, call)] as const;
      const shape = destSpec ? parseDiskSpec(destSpec, 'destSpec') : { provisioning: 'lazyZeroedThick' as const };
      return start('copyVirtualDisk', call, places, async (run) => {
        await copyDisk(context, ...places, shape, run);
        return destName;
      });
    },

    ExtendVirtualDisk_Task({ name, newCapacityKb, eagerZero }, call) {
      const place = locate(name, call);
      const work = (run: ImageRun) => growDisk(context, place, newCapacityKb * 1024, eagerZero ?? false, run);
      return start('extendVirtualDisk', call, [place], work);
    },

    // "Additional space … will be filled with zeroes": what comes out is eager-zeroed.
    InflateVirtualDisk_Task({ name }, call) {
      const place = locate(name, call);
      return start('inflateVirtualDisk', call, [place], async (run) => {
        const { provisioning } = (await readVirtualDisk(api.datastores, place)).facts;
        if (provisioning === 'thin') await reformatDisk(context, place, 'eagerZeroedThick', run);
      });
    },

    EagerZeroVirtualDisk_Task({ name }, call) {
      const place = locate(name, call);
      return start('eagerZeroVirtualDisk', call, [place], async (run) => {
        const { provisioning } = (await readVirtualDisk(api.datastores, place)).facts;
        if (provisioning !== 'eagerZeroedThick') await reformatDisk(context, place, 'eagerZeroedThick', run);
      });
    },

    ShrinkVirtualDisk_Task({ name }, call) {
      const place = locate(name, call);
      return start('shrinkVirtualDisk', call, [place], (run) => rewriteThin(place, run));
    },

    DefragmentVirtualDisk_Task({ name }, call) {
      const place = locate(name, call);
      return start('defragmentVirtualDisk', call, [place], (run) => rewriteThin(place, run));
    },

    ZeroFillVirtualDisk_Task({ name }, call) {
      const place = locate(name, call);
      return start('zeroFillVirtualDisk', call, [place], (run) => zeroDisk(context, place, run));
    },

    // Not in the documented API; govc's datastore.disk.info asks for it.
    QueryVirtualDiskInfo_Task({ name, includeParents }, call) {
      const place = locate(name, call);
      const entity = place.datastore.ref;
      return api.tasks.start({ entity, descriptionId: 'VirtualDiskManager.queryVirtualDiskInfo', call }, async () => {
        const chain = diskChain(await readVirtualDisk(api.datastores, place));
        const shown = includeParents ? chain : chain.slice(0, 1);
        return { _typeName: 'ArrayOfVirtualDiskInfo', _value: shown.map(diskInfo) };
      });
    },

    async QueryVirtualDiskUuid({ name }, call) {
      return (await read(name, call)).descriptor.ddb.get('uuid') ?? '';
    },

    async SetVirtualDiskUuid({ name, uuid }, call) {
      const place = locate(name, call);
      const text = parseUuid(uuid);
      using _lock = ownDisk(context, place);
      const { descriptor } = await readVirtualDisk(api.datastores, place);
      await writeDescriptor(context, place, { ...descriptor, ddb: new Map(descriptor.ddb).set('uuid', text) });
    },

    async QueryVirtualDiskGeometry({ name }, call) {
      const { ddb } = (await read(name, call)).descriptor;
      const number = (key: string) => Number.parseInt(ddb.get(`geometry.${key}`) ?? '0', 10) || 0;
      const [cylinder, head, sector] = [number('cylinders'), number('heads'), number('sectors')];
      return make('HostDiskDimensionsChs', { cylinder, head, sector });
    },
  };

  // Rewriting leaves out what is zero and puts the rest in order; a thick disk has neither to gain.
  async function rewriteThin(place: Location, run: ImageRun): Promise<void> {
    const { facts } = await readVirtualDisk(api.datastores, place);
    if (facts.provisioning !== 'thin') throw new MethodFault('NotSupported', {}, 'only a thin disk can be shrunk');
    await reformatDisk(context, place, 'thin', run);
  }
}

function diskInfo({ location, facts, parent }: VirtualDisk): VirtualDiskInfo {
  const types = { thin: 'thin', lazyZeroedThick: 'preallocated', eagerZeroedThick: 'eagerZeroedThick' } as const;
  return make('VirtualDiskInfo', {
    unit: make('VirtualDiskInfoUnit', { name: locationText(location) }),
    diskType: parent ? 'delta' : types[facts.provisioning],
    parent: parent && locationText(parent.location),
  });
}

function runOf({ signal, progress }: StorageTask): ImageRun {
  return { signal, onProgress: (percent) => progress(percent) };
}
